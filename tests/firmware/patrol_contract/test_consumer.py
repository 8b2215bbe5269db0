from patrol_contract import consumer, messages
from patrol_contract.examples import EXAMPLES

TOPIC = "owntracks/c371500/u-0123"
BOOT = EXAMPLES["unit_location"][1]["boot"]


def location(seq):
    return messages.encode("unit_location", dict(EXAMPLES["unit_location"][1], seq=seq))


def test_repeats_are_dropped_and_losses_counted():
    county = consumer.Consumer()
    for seq in (1, 2, 5, 2):
        county.feed(TOPIC, location(seq))
    assert county.counts["new"] == 3 and county.counts["repeat"] == 1
    key = ("u-0123", BOOT)
    assert county.lost({key: 6}) == {key: [[3, 4], [6, 6]]}


def test_what_a_gap_declares_is_not_lost():
    county = consumer.Consumer()
    county.feed(TOPIC, location(1))
    gap = messages.encode(
        "unit_gap", dict(EXAMPLES["unit_gap"][1], **{"seq": 4, "from": 2, "to": 3, "count": 2})
    )
    county.feed("patrol/v1/c371500/u-0123/gap", gap)
    assert county.lost({("u-0123", BOOT): 4}) == {}


def test_another_boot_starts_anew():
    county = consumer.Consumer()
    county.feed(TOPIC, location(1))
    other = messages.encode(
        "unit_location", dict(EXAMPLES["unit_location"][1], boot="0" * 16, seq=1)
    )
    assert county.feed(TOPIC, other)[0] == "new"


def test_garbage_is_counted_and_never_raises():
    county = consumer.Consumer()
    assert county.feed(TOPIC, b"\xff{")[0] == "malformed"
    assert county.feed(TOPIC, b"{}")[0] == "malformed"
    assert county.feed("some/other/topic", b"{}")[0] == "foreign"


def test_a_will_that_comes_late_does_not_put_a_unit_offline():
    county = consumer.Consumer()
    topic = "patrol/v1/c371500/u-0123/state"
    birth = dict(EXAMPLES["unit_state"][1], session=5)
    will = dict(EXAMPLES["unit_state"][1], session=4, online=False, seq=0)
    county.feed(topic, messages.encode("unit_state", birth))
    county.feed(topic, messages.encode("unit_state", will))
    assert county.states[topic]["online"] is True


def test_a_seen_counts_for_the_checkpoint_that_sent_it():
    county = consumer.Consumer()
    county.feed(
        "patrol/v1/c371500/u-0123/seen", messages.encode("unit_seen", EXAMPLES["unit_seen"][1])
    )
    assert ("k-07", BOOT) in county.senders
