from body_unit import gesture
from body_unit.gesture import FREED, HOLD, NOTHING, PRESS, PRESS3, STUCK, Gesture

EVERY_MS = 10


class Finger:
    """Presses the button for so long, samples every 10 ms; remembers codes and ticks."""

    def __init__(self, start=0):
        self.gesture = Gesture()
        self.ticks = start
        self.codes = []
        self.buzz = []

    def hold(self, down, ms):
        for _ in range(ms // EVERY_MS):
            code = self.gesture.sample(self.ticks, down)
            if code != NOTHING:
                self.codes.append(code)
            if self.gesture.buzz_ms:
                self.buzz.append(self.gesture.buzz_ms)
            self.ticks = (self.ticks + EVERY_MS) & 0x3FFFFFFF
        return self


def test_a_hold_is_told_at_1500_ms_while_still_down():
    finger = Finger().hold(False, 100).hold(True, 1490)
    assert finger.codes == []
    assert finger.hold(True, 30).codes == [HOLD]
    assert finger.hold(True, 5000).hold(False, 3000).codes == [HOLD]


def test_the_tick_grows_towards_the_hold():
    buzz = Finger().hold(True, 1500).buzz
    assert len(buzz) == 4 and buzz == sorted(buzz) and buzz[0] < buzz[-1]


def test_a_short_press_is_told_after_the_gap():
    finger = Finger().hold(True, 200).hold(False, 400)
    assert finger.codes == []
    assert finger.hold(False, 300).codes == [PRESS]


def test_two_presses_are_one_and_three_are_three():
    finger = Finger()
    for _ in range(2):
        finger.hold(True, 150).hold(False, 200)
    assert finger.hold(False, 1000).codes == [PRESS]
    for _ in range(3):
        finger.hold(True, 150).hold(False, 200)
    assert finger.hold(False, 1000).codes == [PRESS, PRESS3]


def test_a_hold_given_up_is_nothing():
    assert Finger().hold(True, 1200).hold(False, 2000).codes == []


def test_a_hold_after_a_press_is_only_a_hold():
    assert Finger().hold(True, 100).hold(False, 200).hold(True, 1600).hold(False, 2000).codes == [
        HOLD
    ]


def test_a_bounce_is_nothing():
    finger = Finger()
    for _ in range(20):
        finger.hold(True, 20).hold(False, 20)
    assert finger.hold(False, 1000).codes == []


def test_a_contact_that_opens_for_a_moment_does_not_break_the_hold():
    finger = Finger()
    for _ in range(8):
        finger.hold(True, 200).hold(False, 40)
    assert finger.codes == [HOLD]


def test_down_from_the_first_sample_counts_from_there():
    finger = Finger(start=777).hold(True, 1540)
    assert finger.codes == [HOLD] and finger.gesture.down_ticks == 777


def test_a_stuck_button_calls_first_and_is_told_once():
    finger = Finger().hold(True, 130_000)
    assert finger.codes == [HOLD, STUCK]
    assert finger.hold(False, 9900).codes == [HOLD, STUCK]
    assert finger.hold(False, 300).codes == [HOLD, STUCK, FREED]


def test_a_stuck_button_that_chatters_still_sends_and_stays_a_fault():
    finger = Finger().hold(True, 61_000).hold(False, 2000).hold(True, 2000)
    assert finger.codes == [HOLD, STUCK, HOLD]


def test_a_finger_may_call_until_it_has_or_is_gone():
    finger = Finger()
    may = []
    for down, ms in ((False, 500), (True, 20), (True, 100), (True, 1400), (True, 70_000)):
        may.append(finger.hold(down, ms).gesture.may_call())
    assert may == [False, False, True, False, False]  # told at 1500 ms; stuck calls once
    assert finger.hold(False, 1000).hold(True, 300).gesture.may_call()
    assert not finger.hold(False, 300).gesture.may_call()


def test_ticks_may_wrap_in_the_middle():
    finger = Finger(start=0x3FFFFFFF - 700).hold(True, 1600).hold(False, 1000)
    finger.hold(True, 200).hold(False, 1000)
    assert finger.codes == [HOLD, PRESS]


def test_codes_become_the_cores_events():
    assert gesture.event(HOLD, 5) == ("hold", 5)
    assert gesture.event(PRESS, 5) == ("press", 1)
    assert gesture.event(PRESS3, 5) == ("press", 3)
    assert gesture.event(STUCK, 5) == ("button_fault", "stuck")
    assert gesture.event(FREED, 5) == ("button_fault", "")


def test_sampling_allocates_nothing():
    import gc

    if not hasattr(gc, "mem_alloc"):
        return
    button = Gesture()
    sample = button.sample
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    ticks = 0
    while ticks < 5000:
        sample(ticks, True)
        ticks += 10
    after = gc.mem_alloc()
    gc.enable()
    assert after - before <= 64, after - before
