from body_unit import haptics
from body_unit.haptics import LIGHTS, PAUSE_MS, Player, lengths

NAMES = [row.split(":")[0] for row in haptics.PATTERNS.split("\n") if ":" in row and row[0] != "#"]
PATTERNS = {name: lengths(haptics.PATTERNS, name) for name in NAMES}
LONG_MS = 300


def rhythm(pattern):
    """What a hand can tell: long, short, a mere tick; and the long gaps between them."""
    out = ""
    for i, ms in enumerate(pattern):
        if i % 2 == 0:
            out += "L" if ms >= LONG_MS else "s" if ms > 60 else "t"
        elif ms >= LONG_MS:
            out += " "
    return out


def test_every_pattern_is_told_apart_by_count_and_length_alone():
    felt = {}
    for name, pattern in PATTERNS.items():
        assert rhythm(pattern) not in felt, (name, felt[rhythm(pattern)])
        felt[rhythm(pattern)] = name


def test_a_pattern_that_is_not_in_the_table_is_refused():
    assert len(PATTERNS) == 15
    for name in ("", "help", "aised", "one", "raised: 500"):
        try:
            raise AssertionError(lengths(haptics.PATTERNS, name))
        except ValueError:
            pass


def test_patterns_begin_and_end_with_the_motor_on():
    for name, pattern in PATTERNS.items():
        assert len(pattern) % 2 == 1 and min(pattern) >= 40, name
    assert lengths(LIGHTS, "off") == ()


def felt(player, ms, start=0):
    """Lengths of the pulses within `ms`, sampled every 10 ms."""
    pulses = []
    on = 0
    for t in range(start, start + ms, 10):
        if player.level(t & 0x3FFFFFFF):
            on += 10
        elif on:
            pulses.append(on)
            on = 0
    return pulses


def test_a_pattern_is_played_as_written():
    player = Player()
    assert player.play(PATTERNS["help_is_coming"])
    assert felt(player, 5000) == [500, 500, 500]
    assert felt(player, 1000, 5000) == []


def test_patterns_wait_for_each_other():
    player = Player()
    player.play(PATTERNS["raised"])
    player.play(PATTERNS["taken"])
    assert felt(player, 500 + PAUSE_MS + 400) == [500, 120]


def test_a_full_queue_says_so_and_keeps_what_came_first():
    player = Player(2)
    assert player.play(PATTERNS["raised"]) and player.play(PATTERNS["taken"])
    assert not player.play(PATTERNS["assist"])
    assert felt(player, 9000) == [500, 120]


def test_clear_is_silence_at_once():
    player = Player()
    player.play(PATTERNS["raised"])
    assert player.level(0)
    player.clear()
    assert not player.level(10) and felt(player, 2000, 20) == []


def test_the_wrap_of_the_ticks_is_not_felt():
    player = Player()
    player.play(PATTERNS["someone_has_it"])
    assert felt(player, 3000, 0x3FFFFFFF - 300) == [500, 500]


def test_playing_allocates_nothing():
    import gc

    if not hasattr(gc, "mem_alloc"):
        return
    player = Player()
    level = player.level
    pattern = PATTERNS["no_network"]
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    player.play(pattern)
    ticks = 0
    while ticks < 3000:
        level(ticks)
        ticks += 10
    after = gc.mem_alloc()
    gc.enable()
    assert after - before <= 64, after - before
