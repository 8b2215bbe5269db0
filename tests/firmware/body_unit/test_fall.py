"""Falls are found, and nothing else is: generated traces of both, in many variants."""

from motion_traces import FALLS, NO_FALLS, Dice, breathing, chain, flight, hold, walking
from unit_rig import Rig

from body_unit import fall
from body_unit.motion import CALM_MS, SHAKEN_MS, STIR_EVERY_MS, Shaking

SEEDS = range(12)


def falls_in(samples):
    judge = fall.Fall()
    return sum([1 for sample in samples if judge.feed(*sample)])


def test_every_fall_is_found_once():
    for trace in FALLS:
        for seed in SEEDS:
            assert falls_in(trace(Dice(seed))) == 1, (trace, seed)


def test_nothing_else_is_a_fall():
    for trace in NO_FALLS:
        for seed in SEEDS:
            assert falls_in(trace(Dice(seed))) == 0, (trace, seed)


def test_any_way_of_lying_counts_but_upright_does_not():
    for down in ((1000, 0, 0), (-1000, 0, 0), (0, 1000, 0), (0, -700, -700), (0, 0, -1000)):
        assert falls_in(FALLS[0](Dice(3), down)) == 1, down
    for down in ((0, 0, 1000), (300, 0, 950), (-400, 300, 860)):
        assert falls_in(FALLS[0](Dice(3), down)) == 0, down


def test_without_a_hit_or_without_free_fall_it_is_none():
    dice = Dice(1)
    lies = (1000, 0, 0)
    assert falls_in(chain(walking(5, dice), flight(0.4, 300, dice), breathing(lies, 20, dice))) == 0
    assert falls_in(chain(walking(5, dice), breathing(lies, 20, dice))) == 0


def test_it_says_while_it_suspects_and_forgets_in_the_end():
    judge = fall.Fall()
    seen = []
    for sample in NO_FALLS[0](Dice(2)):
        judge.feed(*sample)
        seen.append(judge.suspects())
    assert not seen[0] and True in seen and not seen[-1]


def test_a_chip_that_reads_nothing_but_zeros_calls_nobody():
    assert falls_in(hold((0, 0, 0), 60, Dice(0), 0)) == 0


def test_a_shift_of_weight_is_a_stir_and_walking_is_motion():
    shaking = Shaking()
    told = []
    for ms in range(0, 120_000, 400):
        event = shaking.feed(ms % 8000 == 0, ms)
        if event:
            told.append((ms, event))
    assert [event for _, event in told] == [("stir",)] * 4
    assert told[1][0] - told[0][0] >= STIR_EVERY_MS
    began = 120_000
    told = [(ms, shaking.feed(True, ms)) for ms in range(began, began + 20_000, 400)]
    told = [row for row in told if row[1] and row[1][0] == "motion"]
    assert len(told) == 1 and told[0][1] == ("motion", True)
    assert SHAKEN_MS - 400 <= told[0][0] - began <= SHAKEN_MS + 400
    quiet = [(ms, shaking.feed(False, ms)) for ms in range(140_000, 170_000, 400)]
    quiet = [row for row in quiet if row[1]]
    assert [event for _, event in quiet] == [("motion", False)]
    assert CALM_MS - 800 <= quiet[0][0] - 140_000 <= CALM_MS + 800


def test_a_stir_answers_silence_and_not_a_check_in():
    rig = Rig(has=("charger", "accelerometer")).start()
    for _ in range(60):
        rig.run(60_000)
        rig.do("stir")
    assert rig.felt() == [] and rig.said("unit_sos") == []
    rig.do("press", 3)
    for _ in range(17):
        rig.run(60_000)
        rig.do("stir")
    assert rig.said("unit_sos")[0]["kind"] == "checkin"


def test_a_stir_takes_the_warning_of_silence_back():
    rig = Rig(has=("charger", "accelerometer")).start()
    rig.run(1_205_000)
    assert rig.felt() == ["pre_alarm"]
    rig.do("stir")
    rig.run(120_000)
    assert rig.said("unit_sos") == []


def test_a_dead_accelerometer_is_told_and_believed_no_longer():
    rig = Rig(has=("charger", "accelerometer")).start()
    rig.do("motion", True)
    rig.forget()
    rig.do("accelerometer", False)
    assert rig.said("unit_health")[-1]["fault"] == "accelerometer silent"
    assert ("birth",) in rig.all and rig.core.state(True, 1, "lte")["has"] == ["charger"]
    rig.do("battery", 3300)  # and the receiver is off below the reserve: nothing proves silence
    rig.run(3_000_000)
    assert rig.said("unit_sos") == []
    rig.forget()
    rig.do("accelerometer", True)
    assert "fault" not in rig.said("unit_health")[-1]
    assert rig.core.state(True, 1, "lte")["has"] == ["charger", "accelerometer"]
