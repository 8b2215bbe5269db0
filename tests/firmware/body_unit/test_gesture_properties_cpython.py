"""Any way of pressing: a hold is found, nothing else is taken for one, wherever ticks begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from body_unit.gesture import BOUNCE_MS, HOLD, HOLD_MS, NOTHING, OPEN_MS, STUCK, Gesture

EVERY_MS = 10
STRETCHES = st.lists(st.integers(1, 250), max_size=12)  # x 10 ms, up and down in turn


def codes(stretches: list[int], start: int = 0) -> list[int]:
    gesture, ticks, down, found = Gesture(), start, False, []
    for stretch in [*stretches, 1500]:
        for _ in range(stretch):
            code = gesture.sample(ticks, down)
            if code != NOTHING:
                found.append(code)
            ticks = (ticks + EVERY_MS) & 0x3FFFFFFF
        down = not down and stretch != 1500
    return found


@given(STRETCHES, st.integers(0, 0x3FFFFFFF))
def test_where_the_ticks_begin_is_not_felt(stretches: list[int], start: int) -> None:
    assert codes(stretches[: len(stretches) // 2 * 2], start) == codes(
        stretches[: len(stretches) // 2 * 2]
    )


@given(STRETCHES)
def test_a_long_press_is_a_hold_and_a_short_one_never(stretches: list[int]) -> None:
    stretches = stretches[: len(stretches) // 2 * 2]  # the finger is up in the end
    groups = pressed(stretches)
    found = codes(stretches)
    assert found.count(HOLD) >= sum(
        max(group) >= HOLD_MS + BOUNCE_MS + EVERY_MS for group in groups
    )
    # let go in the last moment counts as held: an opening of OPEN_MS is no release
    assert found.count(HOLD) <= sum(sum(group) >= HOLD_MS - OPEN_MS - EVERY_MS for group in groups)
    assert STUCK not in found


def pressed(stretches: list[int]) -> list[list[int]]:
    """Each press as its pieces in ms, down and up in turn: what opens for OPEN_MS goes on.

    stretches: up, down, up, down, …
    """
    groups: list[list[int]] = []
    for up, down in zip(stretches[::2], stretches[1::2], strict=True):
        if groups and up * EVERY_MS <= OPEN_MS:
            groups[-1] += [up * EVERY_MS, down * EVERY_MS]
        else:
            groups.append([down * EVERY_MS])
    return groups
