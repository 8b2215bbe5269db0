"""The queue over ordinary files: order, done, reboot, thinning, dropping, declaring, damage."""

import os

from store_rig import BOOTS, SEGMENT_BYTES, TOPIC, Shell, remove_all, track

from body_unit import store as store_module
from body_unit.store_record import FIRST, Reader, Writer, pack, unpack

FOLDER = "patrol-store-test"


class FullOs:
    """`os` whose mkdir fails."""

    def __init__(self, mkdir):
        self.mkdir = mkdir
        self.listdir = os.listdir


def shell(**options):
    try:
        os.chdir("/tmp")
    except OSError:
        os.mkdir("/tmp")
        os.chdir("/tmp")
    remove_all(FOLDER)
    return Shell(FOLDER, **options)


def test_what_is_appended_comes_out_in_order_and_once():
    unit = shell()
    tokens = [unit.append(2) for _ in range(50)]
    out = unit.take_all()
    assert [o[0] for o in out] == tokens
    assert all([unit.is_true(o) for o in out])
    assert unit.store.take() is None and unit.store.waiting() == 0


def test_sos_first_then_events_then_tracks():
    unit = shell()
    order = [unit.append(k) for k in (2, 1, 2, 0, 1, 0)]
    assert [o[0] for o in unit.take_all()] == [order[i] for i in (3, 5, 1, 4, 0, 2)]
    unit.append(2)
    unit.append(2)
    assert unit.store.take()[0][0] == 2
    sos = unit.append(0)
    assert unit.store.take()[0] == sos  # even in the middle of the tracks


def test_after_a_reboot_the_rest_comes_with_its_old_boot_and_seq():
    unit = shell(slack=1)
    for k in (2, 0, 1, 2, 2):
        unit.append(k)
    for _ in range(3):
        unit.done(unit.store.take()[0])
    again = unit.reboot(BOOTS[1], slack=1)
    assert again.store.waiting() == 2
    new = again.append(2)
    out = again.take_all()
    assert [o[0] for o in out] == [(2, BOOTS[0], 4), (2, BOOTS[0], 5), new]
    assert [o[2] for o in out] == [track(4), track(5), track(1, BOOTS[1])]
    assert again.reboot(BOOTS[2]).take_all() == []


def test_at_most_slack_finished_records_come_again():
    unit = shell(slack=4)
    for _ in range(11):
        unit.append(2)
    for _ in range(11):
        unit.done(unit.store.take()[0])
    assert [o[0][2] for o in unit.reboot(BOOTS[1]).take_all()] == [9, 10, 11]
    unit.store.settle()
    assert unit.reboot(BOOTS[1]).take_all() == []


def test_done_out_of_order_and_a_new_connection():
    unit = shell(slack=1)
    tokens = [unit.append(2) for _ in range(6)]
    for _ in range(4):
        unit.store.take()
    unit.done(tokens[1])
    unit.done(tokens[3])
    unit.done(tokens[3])  # a second PUBACK for it
    unit.done((2, BOOTS[1], 77))  # never heard of
    assert unit.store.waiting() == 4
    unit.store.rewind()
    assert [o[0] for o in unit.take_all()] == [tokens[i] for i in (0, 2, 4, 5)]
    assert unit.store.waiting() == 0
    assert unit.reboot(BOOTS[1]).take_all() == []


def test_later_keeps_an_sos_off_the_flash_until_the_next_write():
    unit = shell()
    sos = unit.append(0, later=True)
    assert unit.store.lanes[0].waiting() == unit.store.waiting() == 1
    assert unit.reboot(BOOTS[1]).take_all() == []
    assert unit.store.take()[0] == sos
    assert unit.store.take() is None
    unit.store.rewind()
    assert unit.store.take()[0] == sos
    assert unit.store.commit()
    assert unit.store.take() is None  # written, but still taken
    assert [o[0] for o in unit.reboot(BOOTS[1]).take_all()] == [sos]
    assert unit.store.lanes[0].waiting() == 1
    unit.done(sos)
    assert unit.store.waiting() == 0
    unit.store.settle()
    assert unit.reboot(BOOTS[1]).take_all() == []


def test_an_sos_acknowledged_before_it_was_written_never_is():
    unit = shell()
    sos = unit.append(0, later=True)
    unit.store.take()
    unit.done(sos)
    unit.append(2)
    assert [o[0][0] for o in unit.reboot(BOOTS[1]).take_all()] == [2]


def test_an_answer_may_come_while_the_record_is_being_written():
    for steps in range(1, 4):
        for fails in (False, True):
            unit = shell()
            early = unit.append(1)
            tokens = [unit.append(1, later=True) for _ in range(3)]
            assert [o[0] for o in unit.take_all(done=False)] == [early] + tokens
            if fails:
                unit.store.lanes[1].write = broken
            for _ in range(steps):
                assert unit.store.step()
            for _ in range(2):  # the second one is for nothing
                unit.store.done(tokens[0])
            assert unit.store.waiting() == 3
            if fails:
                assert not unit.store.commit() and unit.store.fault == 5
                del unit.store.lanes[1].write
            unit.store.rewind()
            assert unit.store.commit() and unit.store.waiting() == 3
            assert [o[0] for o in unit.take_all()] == [early] + tokens[1:]
            assert unit.store.waiting() == 0
            assert unit.reboot(BOOTS[1]).take_all() == []


def broken(batch):
    for _ in batch:
        yield
    raise OSError(5)


def test_a_later_append_never_overtakes_on_flash():
    unit = shell()
    unit.append(0, later=True)
    unit.append(2)
    assert [o[0][2] for o in unit.reboot(BOOTS[1]).take_all()] == [1, 2]


def test_drop_forgets_and_declares():
    unit = shell()
    tokens = [unit.append(0, later=True), unit.append(0), unit.append(0, later=True)]
    assert unit.store.take()[0] == tokens[0]
    assert not unit.store.drop(tokens[0], "superseded")  # already taken
    assert unit.store.drop(tokens[1], "superseded") and unit.store.drop(tokens[2], "superseded")
    assert not unit.store.drop(tokens[1], "superseded")
    assert [o[1] for o in unit.take_all()] == ["gap"]
    assert unit.declared == [(BOOTS[0], 2, 3, 2, "superseded")]


def test_a_day_of_sos_offline_costs_one_gap():
    unit = shell()
    raised = unit.append(0, later=True)
    unit.store.commit()
    update = None
    for n in range(500):
        last, update = update, unit.append(0, ram=True)
        if last:
            assert unit.store.drop(last, "superseded")
        unit.store.commit()
        if n % 5 == 0:
            unit.append(2)
            unit.tidy()
        assert os.stat(FOLDER + "/heads")[6] <= 128  # so small LittleFS keeps it without an erase
    assert unit.store.lanes[0].bytes < 100 and unit.store.lanes[1].bytes == 0
    assert unit.store.lanes[0].waiting() == 2
    out = unit.take_all()
    assert [o[0] for o in out[:2]] == [raised, update]
    assert len(unit.declared) <= 3 and sum([d[3] for d in unit.declared]) == 499


def test_what_was_in_ram_only_is_declared_after_a_power_cut():
    unit = shell()
    unit.append(2)
    unit.append(0, ram=True)
    unit.append(2)
    again = unit.reboot(BOOTS[1])
    assert [o[0][2] for o in again.take_all() if o[0][0] == 2] == [1, 3]
    assert again.declared == [(BOOTS[0], 2, 2, 1, "superseded")]
    unit = shell()
    sent = unit.append(0, ram=True)
    assert unit.store.take()[0] == sent
    unit.done(sent)
    unit.append(2)
    again = unit.reboot(BOOTS[1])
    again.take_all()
    assert again.declared == []


def test_many_segments_are_removed_as_they_are_sent():
    unit = shell()
    for _ in range(300):
        unit.append(2)
    assert len(os.listdir(FOLDER)) >= 6
    assert [o[0][2] for o in unit.take_all()] == list(range(1, 301))
    assert len([n for n in os.listdir(FOLDER) if n.startswith("2-")]) == 1
    assert unit.store.lanes[2].bytes <= SEGMENT_BYTES + 300


def accounted(unit, out):
    """Every number assigned has come out or lies in a gap, and the gaps count right."""
    assert all([unit.is_true(o) for o in out])
    have = set([o[0][2] for o in out])
    gone = set()
    for of_boot, first, last, _, _ in unit.declared:
        assert of_boot == BOOTS[0]
        gone.update(range(first, last + 1))
    missing = set(range(1, unit.seq + 1)) - have
    assert missing <= gone
    assert sum([d[3] for d in unit.declared]) == len(missing)


def test_tracks_are_thinned_evenly_and_then_the_oldest_dropped():
    unit = shell(budget=8 * 1024)
    for n in range(1200):
        unit.append(2)
        if n % 100 == 50:
            unit.append(1)
        if n % 10 == 9:
            unit.tidy()
    assert unit.store.lanes[2].bytes < 8 * 1024
    whys = [d[4] for d in unit.declared]
    assert "full" in whys and whys.count("thinned") > 10
    assert "full" not in whys[:2]  # thinned before dropped
    out = unit.take_all()
    accounted(unit, out)
    assert len([o for o in out if o[0][0] == 1 and o[1] == TOPIC]) == 12  # no event is ever lost
    kept = sorted([o[0][2] for o in out if o[0][0] == 2])
    longest = max([kept[i + 1] - kept[i] for i in range(len(kept) - 1)])
    assert longest <= 8  # every fourth is kept, and gaps and events take numbers too


def test_without_tidy_the_budget_still_holds_and_new_tracks_are_declared():
    unit = shell(budget=2500)
    for _ in range(100):
        unit.append(2)
    assert unit.store.lanes[2].bytes < 2500 + 300
    assert unit.append(1) and unit.append(0)
    out = unit.take_all()
    unit.tidy()
    assert unit.declared[0][4] == "full"
    accounted(unit, out + unit.take_all())


def test_sending_may_overtake_the_thinning():
    unit = shell(budget=8 * 1024)
    for _ in range(170):
        unit.append(2)
    out = []
    for _ in unit.store.tidy():
        for _ in range(7):
            found = unit.store.take()
            if found:
                out.append(found)
                unit.done(found[0])
    out += unit.take_all()
    assert [o[0][2] for o in out if o[0][0] == 2] == sorted([o[0][2] for o in out if o[0][0] == 2])
    accounted(unit, out)


def test_what_is_in_flight_may_be_dropped_under_it():
    unit = shell(budget=6 * 1024)
    for _ in range(110):
        unit.append(2)
    taken = [unit.store.take()[0] for _ in range(8)]
    for _ in range(300):
        unit.append(2)
        unit.tidy()
    for token in taken:
        unit.done(token)
    out = unit.take_all()
    assert out[-1][0][2] > 300
    unit.store.rewind()
    assert unit.store.take() is None


def test_the_oldest_segment_goes_while_the_next_is_in_flight_too():
    unit = shell()
    for _ in range(120):
        unit.append(2)
    lane = unit.store.lanes[2]
    taken = []
    while lane.first == lane._segment:
        taken.append(unit.store.take()[0])
    lane.drop_first()
    unit.store.commit()
    assert lane.first == 1 and lane.head[0] == 1
    assert "2-00000000" not in os.listdir(FOLDER)
    unit.done(taken[-1])
    assert [o[0][2] for o in unit.take_all()] == list(range(taken[-1][2] + 1, 121))


def test_thinning_a_segment_of_two_boots_that_differ_in_digits_only():
    unit = shell(budget=6 * 1024)
    for boot in ("1" * 16, "2" * 16, "3" * 16):
        unit = unit.reboot(boot, budget=6 * 1024)
        for _ in range(45):
            unit.append(2)
    unit.tidy()
    assert [d[4] for d in unit.declared].count("thinned") >= 2
    assert all([unit.is_true(o) for o in unit.take_all()])


def test_dropping_does_not_use_itself_up():
    unit = shell()
    for _ in range(4):
        tokens = [unit.append(0) for _ in range(20)]
        assert all([unit.store.drop(token, "superseded") for token in tokens])
        unit.take_all()
    assert sum([d[3] for d in unit.declared]) == 80


def test_a_flipped_bit_costs_one_record_and_is_declared():
    unit = shell()
    for _ in range(30):
        unit.append(2)
    path = FOLDER + "/2-00000000"
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[len(data) // 2] ^= 0x10
    with open(path, "wb") as f:
        f.write(data)
    again = unit.reboot(BOOTS[1])
    out = again.take_all()
    missing = set(range(1, 31)) - set([o[0][2] for o in out if o[0][1] == BOOTS[0]])
    assert len(missing) == 1
    assert again.declared == [(BOOTS[0], min(missing), min(missing), 1, "corrupt")]
    assert "gap" in [o[1] for o in out]
    again.append(2)
    assert [o[1] for o in again.take_all()] == [TOPIC]


def test_torn_tails_where_the_file_system_is_no_littlefs():
    for cut in range(1, 120, 7):
        unit = shell()
        for _ in range(5):
            unit.append(2)
        path = FOLDER + "/2-00000000"
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(data[:-cut])
        again = unit.reboot(BOOTS[1])
        for _ in range(3):
            again.append(2)
        out = again.take_all()
        assert all([again.is_true(o) for o in out])
        assert [o[0][2] for o in out if o[0][1] == BOOTS[1]] == [1, 2, 3]


def test_a_broken_heads_file_offers_everything_again():
    unit = shell(slack=1)
    for _ in range(5):
        unit.append(2)
    unit.take_all()
    with open(FOLDER + "/heads", "wb") as f:
        f.write(b"x" * 28)
    assert len(unit.reboot(BOOTS[1]).take_all()) == 5


def test_a_flash_that_refuses_to_write():
    unit = shell()
    unit.append(2)
    write = unit.store.lanes[0].write

    def full(batch):
        raise OSError(28)

    for lane in unit.store.lanes:
        lane.write = full
    sos = unit.append(0)
    assert sos and unit.store.fault == 28 and not unit.store.commit()
    assert unit.append(2) is None
    events = [unit.append(1) for _ in range(40)]
    assert events[0] and events[-1] is None
    assert unit.store.take()[0] == sos  # from RAM
    for lane in unit.store.lanes:
        del lane.write
    assert unit.store.lanes[0].write == write
    unit.tidy()
    assert unit.store.fault == 0
    unit.store.rewind()
    accounted(unit, unit.take_all())


def test_a_flash_too_full_for_the_folder_itself():
    shell()
    os.rmdir(FOLDER)

    def full(path):
        raise OSError(28)

    store_module.os = FullOs(full)
    unit = Shell(FOLDER)
    store_module.os = os
    sos = unit.append(0, later=True)
    assert unit.store.take()[0] == sos and unit.append(2, later=True) is None
    unit.store.rewind()
    assert unit.store.commit() and unit.store.fault == 0
    assert [o[0] for o in unit.reboot(BOOTS[1]).take_all()][:1] == [sos]


def test_packing_keeps_every_text():
    pairs = (
        (b"a1b22c", b"a1b22c"),
        (b"a1b22c", b"a333b0c"),
        (b"1", b"222"),
        (b"x", b"x"),
        (b"", b""),
        (b"007", b"7"),
        ('{"n":"村01"}'.encode(), '{"n":"村9"}'.encode()),
    )
    for text, template in pairs:
        assert unpack(pack(text, template), template) == text
    for text, template in (
        (b"a1", b"b1"),
        (b"a1", b"a"),
        (b"a", b"a1"),
        (b"a1", b"a1b"),
        (b"1a", b"a"),
    ):
        assert pack(text, template) is None, (text, template)


def test_a_track_takes_a_fifth_of_its_text():
    writer = Writer(FIRST, True)
    sizes = [len(writer.record(b"bootboot", n, track(n))) for n in range(1, 200)]
    assert sum(sizes) // len(sizes) < 50 < len(track(1)) // 3


def test_reader_finds_the_next_record_behind_any_damage():
    shell()
    writer = Writer(FIRST, False)
    records = [writer.record(b"bootboot", n, b"text %d" % n) for n in range(6)]
    for junk in (b"\x00" * 40, b"\xff" * 40, b"\x20\x00\x00\x01\x00\x00\x00" * 5, records[1][:9]):
        with open(FOLDER + "/x", "wb") as f:
            f.write(b"\x00" + records[0] + junk + b"".join(records[1:]))
        reader = Reader(FOLDER + "/x")
        found = []
        while True:
            record = reader.next()
            if record is None:
                break
            found.append(record[1])
        assert found == [0, 1, 2, 3, 4, 5]
        assert reader.skipped == len(junk)
    os.remove(FOLDER + "/x")
