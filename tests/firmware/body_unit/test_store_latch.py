"""The SOS latch over a sector with NOR's habits: a write clears bits, only an erase sets them."""

from body_unit.store_latch import Latch


class Sector:
    """4096 bytes of NOR flash. `cut_after`: bytes of the next write that get through."""

    def __init__(self):
        self.data = bytearray(b"\xff" * 4096)
        self.erases = 0
        self.cut_after = None

    def readblocks(self, block, buf, offset):
        buf[:] = self.data[block * 4096 + offset : block * 4096 + offset + len(buf)]

    def writeblocks(self, block, buf, offset):
        for i, byte in enumerate(buf):
            if i == self.cut_after:
                return
            self.data[block * 4096 + offset + i] &= byte

    def ioctl(self, op, arg):
        assert (op, arg) == (6, 0)
        self.data[:] = b"\xff" * 4096
        self.erases += 1
        return 0


def test_latched_value_is_there_after_a_reboot():
    sector = Sector()
    assert Latch(sector).value == b""
    Latch(sector).write(b"raised")
    assert Latch(sector).value == b"raised"
    Latch(sector).write(b"x" * 64)
    assert Latch(sector).value == b"x" * 64
    Latch(sector).write(b"")
    assert Latch(sector).value == b""


def test_a_cut_at_any_byte_leaves_the_old_value_or_the_new_one():
    for cut in range(70):
        sector = Sector()
        Latch(sector).write(b"old")
        sector.cut_after = cut
        Latch(sector).write(b"new, and longer")
        sector.cut_after = None
        again = Latch(sector)
        assert again.value in (b"old", b"new, and longer"), cut
        assert again.value == b"old" or cut > 60
        assert again.write(b"next")
        assert Latch(sector).value == b"next"


def test_no_erase_while_an_sos_is_open_and_one_when_it_is_over():
    sector = Sector()
    latch = Latch(sector)
    for n in range(200):
        latch.write(b"change %d" % n)
    assert sector.erases == 0
    assert latch.value == Latch(sector).value != b""
    assert not latch.write(b"no room")
    assert latch.write(b"")
    assert (sector.erases, latch.value, Latch(sector).value) == (1, b"", b"")
    assert latch.write(b"again") and Latch(sector).value == b"again"


def test_a_short_sos_costs_no_erase_at_all():
    sector = Sector()
    for _ in range(9):
        latch = Latch(sector)
        assert latch.write(b"raised") and latch.write(b"acknowledged") and latch.write(b"")
    assert sector.erases == 0


def test_too_long_is_refused():
    try:
        Latch(Sector()).write(b"x" * 65)
    except ValueError as e:
        assert "65 bytes" in str(e)
    else:
        raise AssertionError("accepted")
