"""When the CPU may sleep, and what the modem does between reports."""

from unit_rig import Rig  # beside this file

from body_unit import power

ASLEEP = {part: words.split()[0] for part, words in power.SLEEPS_WITH.items()}
KEEPS_AWAKE = (
    ("sos", "open"),
    ("button", "busy"),
    ("charger", "on"),
    ("receiver", "on"),
    ("wifi", "on"),
    ("lte", "busy"),
    ("lines", "busy"),
    ("store", "owed"),
    ("fall", "maybe"),
)


def test_with_nothing_to_do_it_sleeps_until_something_is_due():
    assert power.nap_ms(ASLEEP, 5000) == 5000
    assert power.nap_ms(dict(ASLEEP, lte="up"), 5000) == 5000


def test_each_part_alone_keeps_it_awake():
    assert sorted(part for part, _ in KEEPS_AWAKE) == sorted(power.SLEEPS_WITH)
    for part, word in KEEPS_AWAKE:
        doing = dict(ASLEEP)
        doing[part] = word
        assert power.nap_ms(doing, 60_000) == 0, part


def test_a_sleep_is_never_longer_than_watchdog_and_keepalive_allow():
    assert power.nap_ms(ASLEEP, 3_600_000) == power.NAP_LONGEST_MS
    assert power.NAP_LONGEST_MS < 30_000 and power.NAP_LONGEST_MS * 3 <= power.KEEPALIVE_S * 1000


def test_a_moment_is_not_worth_it_and_what_is_overdue_is_not_slept_over():
    for until in (power.NAP_SHORTEST_MS - 1, 0, -5000):
        assert power.nap_ms(ASLEEP, until) == 0


def test_the_modem_is_reachable_until_the_reserve():
    rig = Rig().start()
    rig.do("battery", 3500)
    assert rig.named("modem") == []
    rig.do("battery", 3300)
    assert rig.named("modem") == [("modem", "psm")]
    rig.do("battery", 2900)
    assert rig.named("modem")[1:] == [("modem", "off")]
    rig.forget()
    rig.do("battery", 4000)
    assert rig.named("modem") == [("modem", "drx")]


def test_every_battery_step_says_what_the_modem_does():
    assert sorted(power.MODEM) == sorted(power.STEPS)
