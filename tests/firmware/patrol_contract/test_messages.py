from patrol_contract import ContractError, messages, topics
from patrol_contract.catalogue import MESSAGES
from patrol_contract.examples import EXAMPLES


def fault(name, **change):
    fields = dict(EXAMPLES[name][1])
    for key, value in change.items():
        if value is None:
            del fields[key]
        else:
            fields[key] = value
    try:
        messages.encode(name, fields)
    except ContractError as error:
        return str(error)
    return None


def test_every_row_has_an_example_that_survives_the_wire():
    assert set(EXAMPLES) == set(MESSAGES)
    for name in MESSAGES:
        example = EXAMPLES[name][1]
        assert messages.decode(name, messages.encode(name, example)) == example, name


def test_there_is_no_other_message():
    for call in (
        lambda: messages.encode("unit_nothing", {}),
        lambda: messages.decode("", b"{}"),
        lambda: topics.topic("unit", C="c"),
    ):
        try:
            call()
        except KeyError:
            continue
        raise AssertionError("took a message that is in no row")


def test_every_topic_parses_back_to_its_name():
    who = {"C": "c371500", "U": "u-0123", "G": "z-03", "K": "k-07", "S": "barrier", "B": "2"}
    for name, row in MESSAGES.items():
        topic = topics.topic(name, **who)
        used = {level: who[level] for level in row.topic.split("/") if level in who}
        assert topics.parse(topic) == (name, used), topic


def test_topics_outside_the_contract():
    for topic in (
        "",
        "a",
        "owntracks/c/u/x",
        "patrol/v2/c/u/sos",
        "patrol/v1/c/U/sos",
        "patrol/v1/c/+/sos",
        "patrol/v1/c/cp/state",
        "owntracks/c/cp",
        "owntracks/c//event",
    ):
        assert topics.parse(topic) is None, topic


def test_a_position_is_exact_on_the_wire():
    payload = messages.encode("unit_location", EXAMPLES["unit_location"][1])
    assert b'"lat":31.2480350' in payload and b'"lon":121.5873800' in payload


def test_positions_from_others_may_be_shorter():
    payload = messages.encode("unit_location", EXAMPLES["unit_location"][1])
    fields = messages.decode("unit_location", payload.replace(b"31.2480350", b"31.25"))
    assert fields["lat"] == 312500000
    fields = messages.decode("unit_location", payload.replace(b"31.2480350", b"31"))
    assert fields["lat"] == 310000000


def test_faults_name_the_field():
    assert "unit_location.acc" in fault("unit_location", acc=0)
    assert "unit_location.lat" in fault("unit_location", lat=900000001)
    assert "unit_location.tst: missing" in fault("unit_location", tst=None)
    assert "unit_location.speed: no such field" in fault("unit_location", speed=1)
    assert "unit_transition.desc: missing" in fault("unit_transition", desc=None)
    assert "needs tst or uptime_ms" in fault("unit_sos", tst=None)
    assert "unit_state.online" in fault("unit_state", online=1)
    assert "unit_health.queue" in fault("unit_health", queue=True)
    assert "seq" in fault("unit_sos", seq=0)


def test_a_command_is_checked_by_its_own_row():
    assert "sos: missing" in fault("unit_cmd", sos=None)
    assert "no command here" in fault("unit_cmd", cmd="explode")
    assert "no command here" in fault("cp_cmd", cmd="sos_ack")


def test_a_command_cannot_run_on_into_other_rows():
    for cmd in ("sos_ack ", " sos_ack", "sos_ack: command\n    sos: Hex(16)", "", "\n", 1, ["a"]):
        assert "no command here" in fault("unit_cmd", cmd=cmd), cmd


def test_a_word_is_one_of_the_words_and_not_a_part_of_them():
    for word in ("", "raise", "aised", "raised,updated", ",", "One", "(raised", "raised)", 1, None):
        fields = dict(EXAMPLES["unit_sos"][1], state=word)
        try:
            messages.encode("unit_sos", fields)
        except ContractError as error:
            assert "unit_sos.state" in str(error)
        else:
            raise AssertionError(word)
    assert fault("unit_sos", state="test") is None


def test_bounds_are_exact_where_a_small_int_ends_at_2_to_the_30():
    ends = {
        "seq": (1, 1 << 53),
        "revision": (1, 1 << 31),
        "since_s": (0, 1 << 31),
        "tst": (946684800, 4102444800),
        "batt": (0, 100),
    }
    for key, (low, high) in ends.items():
        for value in (low, high):
            assert fault("unit_sos", **{key: value}) is None, (key, value)
        for value in (low - 1, high + 1):
            assert "unit_sos." + key in fault("unit_sos", **{key: value}), (key, value)
    for key, end in (("lat", 900000000), ("lon", 1800000000)):
        for value in (end, -end):
            assert fault("unit_location", **{key: value}) is None, (key, value)
        for value in (end + 1, -end - 1):
            assert "unit_location." + key in fault("unit_location", **{key: value})


def test_text_is_counted_in_characters():
    assert fault("unit_transition", desc="村" * 60) is None
    assert "unit_transition.desc" in fault("unit_transition", desc="村" * 61)
    assert "unit_transition.rid" in fault("unit_transition", rid="p-03\n")
    assert "unit_transition.rid" in fault("unit_transition", rid="村")
    assert "unit_seen.sos" in fault("unit_seen", sos="9b1d6ae2f00c441G")


def test_a_good_reading_has_a_value_and_its_time():
    assert "value or text" in fault("cp_sensor", value=None)
    assert fault("cp_sensor", value=None, text="open") is None
    assert "needs read" in fault("cp_sensor", read=None)
    assert fault("cp_sensor", value=None, read=None, quality="fault") is None


def test_a_will_uses_up_no_number():
    assert fault("unit_state", seq=0) is None


def test_unknown_keys_from_a_later_version_are_ignored():
    payload = messages.encode("unit_sos", EXAMPLES["unit_sos"][1])
    later = payload[:-1] + b',"x":{"y":1.5}}'
    assert messages.decode("unit_sos", later) == EXAMPLES["unit_sos"][1]


def test_an_alarm_is_no_telemetry():
    assert topics.klass_of("cp_sensor", {}) == 2
    assert topics.klass_of("cp_sensor", {"alarm": "high"}) == 1
    assert topics.klass_of("unit_sos", {}) == 0
