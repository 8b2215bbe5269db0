"""The feed against a model: whatever is committed, read, taken and given back, each lane leaves in
its order and nothing is left out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import outbox_feed
from edge_agent.event import Event, Klass
from edge_agent.outbox_feed import Feed
from edge_agent.outbox_record import LANE_SHIFT, SOS, TELEMETRY, Held, lane_of


def held(number: int, klass: Klass, sos: str | None = None) -> Held:
    event = Event("t", b"{}", klass, "u", "b", number, sos=sos, state="raised" if sos else None)
    return Held(lane_of(event) << LANE_SHIFT | number, event)


STEPS = st.lists(
    st.sampled_from(["sos", "custody", "event", "telemetry", "take", "back", "page"]), max_size=300
)
KLASS = {"custody": Klass.SOS, "event": Klass.EVENT, "telemetry": Klass.TELEMETRY}


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_each_lane_leaves_in_order_and_whole(steps: list[str]) -> None:
    outbox_feed.HOT, outbox_feed.LOW = 4, 1
    feed = Feed()
    feed.behind[SOS] = False
    disk: list[Held] = []
    out: list[Held] = []
    left: list[int] = []
    for number, step in enumerate([*steps, *["page", "take"] * 1000], 1):
        if step == "take":
            taken = feed.next()
            if taken is not None:
                out.append(taken)
        elif step == "back":
            feed.give_back(out)
            out.clear()
        elif step == "page":
            wanted = feed.page_wanted()
            if wanted is not None:
                lane, after, limit = wanted
                rows = [h for h in sorted(disk) if h.lane == lane and h.id > after]
                feed.page(lane, limit, rows[:limit])
        else:
            new = held(number, KLASS.get(step, Klass.SOS), "s" * 16 if step == "sos" else None)
            disk.append(new)
            feed.committed(new)
        if step == "take" and number > len(steps):
            left += [h.id for h in out]
            out.clear()
    assert sorted(left) == sorted(h.id for h in disk)
    for lane in range(4):
        mine = [number for number in left if number >> LANE_SHIFT == lane]
        assert mine == sorted(mine)


def test_memory_is_bounded_and_an_sos_is_always_in_it() -> None:
    outbox_feed.HOT, outbox_feed.LOW = 512, 128
    feed = Feed()
    feed.behind[:] = [False] * 4
    for number in range(10_000):
        feed.committed(held(number, Klass.TELEMETRY))
    feed.committed(held(10_001, Klass.SOS, "s" * 16))
    assert len(feed) == 513
    assert feed.behind[TELEMETRY]
    first = feed.next()
    assert first is not None and first.lane == SOS
