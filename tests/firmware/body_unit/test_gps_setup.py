"""Set-up against receivers that speak as theirs do: CASIC, u-blox old and new, and a dumb one."""

from nmea import gga, rmc, sentence

from body_unit import gps_ubx
from body_unit.gps_setup import BAUDS, CASIC, CHECK_MS, QUESTION, Setup, pcas

GSV = sentence("GPGSV,1,1,01,05,30,112,27")
GSA = sentence("GNGSA,A,3,01,06,14,,,,,,,,,,1.3,0.8,1.1,1")
ORDER = ("GGA", "GLL", "GSA", "GSV", "RMC", "VTG", "ZDA")


class Receiver:
    """A module at the other end of the wire. Hears only what is sent at its own rate."""

    def __init__(self, kind, baud=9600, understands="all", deaf=0):
        self.kind = kind
        self.baud = baud
        self.understands = understands
        self.deaf = deaf  # settings that get lost before one is heard
        self.on = dict([(name, 1) for name in ORDER])
        self.wire = 9600  # the rate of the unit's UART
        self._out = b""
        self.settings = 0

    def hear(self, data):
        if self.wire != self.baud:
            return
        if data == QUESTION:
            if self.kind == "casic":
                self._out += sentence("GPTXT,01,01,02,SW=URANUS5,V5.1.0.0")
            elif self.kind == "ublox":
                self._out += gps_ubx.frame(gps_ubx.MON_VER, b"ROM SPG 5.10" + bytes(100))
            return
        self.settings += 1
        if self.deaf:
            self.deaf -= 1
        elif self.kind == "casic":
            self._casic(data)
        elif self.kind == "ublox":
            self._ublox(data)

    def _casic(self, data):
        assert b"PCAS00" not in data  # never saved
        for line in data.split(b"\r\n"):
            if line.startswith(b"$PCAS03,"):
                rates = line[8:-3].split(b",")
                for name, rate in zip(ORDER, rates):
                    self.on[name] = int(rate)

    def _ublox(self, data):
        at = 0
        while at < len(data):
            assert data[at : at + 2] == b"\xb5\x62"
            count = data[at + 4] | data[at + 5] << 8
            kind = (data[at + 2], data[at + 3])
            payload = data[at + 6 : at + 6 + count]
            assert gps_ubx.frame(kind, payload) == data[at : at + 8 + count]
            at += 8 + count
            if kind == gps_ubx.CFG_MSG and self.understands in ("all", "old"):
                names = dict(zip((0, 1, 2, 3, 4, 5, 8), ORDER))
                self.on[names[payload[1]]] = payload[2]
            if kind == gps_ubx.CFG_VALSET and self.understands in ("all", "new"):
                keys = (0xBB, 0xCA, 0xC0, 0xC5, 0xAC, 0xB1, 0xD9)
                assert payload[:4] == b"\x00\x01\x00\x00"
                for i in range(4, len(payload), 5):
                    assert payload[i + 1 : i + 4] == b"\x00\x91\x20"
                    self.on[dict(zip(keys, ORDER))[payload[i]]] = payload[i + 4]

    def second(self):
        """What it sends in a second, as it arrives at the unit's rate."""
        bodies = {"GGA": gga(), "RMC": rmc(), "GSV": GSV, "GSA": GSA}
        out, self._out = self._out, b""
        for name in ORDER:
            if self.on[name] and self.kind != "dead":
                out += bodies.get(name, sentence("GN" + name + ",,,"))
        return out if self.wire == self.baud else bytes([(c * 7) & 0xFF for c in out])


def run(setup, receiver, seconds=40):
    """Let both talk; returns (done effect, seconds it took)."""
    pending = setup.begin(0)
    for tenth in range(seconds * 10):
        data = receiver.second() if tenth % 10 == 3 else b""
        pending += setup.feed(data, tenth * 100)
        while pending:
            effect = pending.pop(0)
            if effect[0] == "baud":
                receiver.wire = effect[1]
            elif effect[0] == "write":
                receiver.hear(effect[1])
            else:
                return effect, tenth // 10
    return None, seconds


def wanted(receiver):
    return sorted([name for name in ORDER if receiver.on[name]]) == ["GGA", "GSA", "RMC"]


def test_what_is_written_out_has_its_checksums():
    assert pcas(b"PCAS06,0") + gps_ubx.frame(gps_ubx.MON_VER) == QUESTION
    assert pcas(b"PCAS02,1000") + pcas(b"PCAS03,1,0,1,0,1,0,0,0,0,0,,,0,0") == CASIC


def test_casic_and_ublox_old_and_new():
    for kind, understands in (("casic", ""), ("ublox", "old"), ("ublox", "new"), ("ublox", "all")):
        receiver = Receiver(kind, understands=understands)
        assert run(Setup(), receiver)[0] == ("done", kind, True), (kind, understands)
        assert wanted(receiver)


def test_every_baud_rate_is_found():
    for baud in BAUDS:
        for kind in ("casic", "ublox"):
            receiver = Receiver(kind, baud)
            setup = Setup()
            effect, seconds = run(setup, receiver)
            assert effect == ("done", kind, True) and wanted(receiver), (kind, baud)
            assert setup.baud == baud and seconds < 16


def test_a_receiver_that_was_told_to_be_silent_still_answers():
    receiver = Receiver("casic", 115200)
    for name in ORDER:
        receiver.on[name] = 0
    assert run(Setup(), receiver)[0] == ("done", "casic", True)
    assert wanted(receiver)


def test_lost_settings_are_said_again():
    receiver = Receiver("ublox", deaf=2)
    assert run(Setup(), receiver)[0] == ("done", "ublox", True)
    assert receiver.settings == 3
    receiver = Receiver("casic", deaf=99)
    assert run(Setup(), receiver)[0] == ("done", "casic", False)


def test_what_answers_nothing_is_read_as_it_is():
    setup = Setup()
    assert run(setup, Receiver("sirf", 4800))[0] == ("done", "plain", True)
    assert setup.baud == 4800


def test_no_receiver():
    assert run(Setup(), Receiver("dead"))[0] == ("done", "none", False)


def test_a_receiver_that_wakes_up_late_is_found():
    setup = Setup()
    receiver = Receiver("dead", 9600)
    run(setup, receiver)
    receiver.kind = "casic"
    pending = []
    for tenth in range(200, 900):
        pending += setup.feed(receiver.second() if tenth % 10 == 3 else b"", tenth * 100)
        while pending:
            effect = pending.pop(0)
            if effect[0] == "baud":
                receiver.wire = effect[1]
            elif effect[0] == "write":
                receiver.hear(effect[1])
    assert setup.kind == "casic" and wanted(receiver)


def test_after_the_next_power_on_it_is_only_told_again():
    setup = Setup()
    run(setup, Receiver("casic", 38400))
    receiver = Receiver("casic", 38400)
    effect, seconds = run(setup, receiver)
    assert effect == ("done", "casic", True)
    assert seconds * 1000 <= CHECK_MS and receiver.settings == 1


def test_another_receiver_was_soldered_in():
    setup = Setup()
    run(setup, Receiver("casic", 38400))
    receiver = Receiver("ublox", 9600)
    assert run(setup, receiver)[0] == ("done", "ublox", True)
    assert wanted(receiver)


def test_commands_as_the_makers_write_them():
    assert pcas(b"PCAS06,0") == b"$PCAS06,0*1B\r\n"
    assert pcas(b"PCAS02,1000") == b"$PCAS02,1000*2E\r\n"
    assert gps_ubx.frame(gps_ubx.MON_VER) == b"\xb5\x62\x0a\x04\x00\x00\x0e\x34"


def test_ubx_frames_in_a_stream_whatever_the_split():
    ver = gps_ubx.frame(gps_ubx.MON_VER, bytes(range(160)))
    long = b"\xb5\x62\x0a\x04\xff\xff"  # says 65535 bytes follow: not believed
    bad = ver[:-1] + b"\x00"
    stream = b"\xb5" + ver + b"$GN\xb5\x62" + long + ver + bad + ver
    for size in (1, 2, 5, 1000):
        frames = gps_ubx.Frames()
        found = []
        for i in range(0, len(stream), size):
            found += frames.feed(stream[i : i + size])
        assert found == [gps_ubx.MON_VER] * 3, size
