"""Cut the power at every block write of a busy store on real LittleFS, and look what is left.

One run of the store is recorded as the programs and erases that LittleFS made of it, with marks
between them: what had been promised when. Then for each write the flash is rebuilt up to it, the
write itself torn, and a unit booted from what remains. MicroPython only.
"""

import gc
import os

import ram_flash
from store_rig import BOOTS, Shell

BLOCKS = 32
SLACK = 2
OUT_OF_ORDER = 2  # done before others of their window: no head can say so
BUDGET = 5000
FOLDER = "/flash/queue"
WAYS = ("not begun", "half", "bits", "whole")  # how much of the last write got through


class Story(Shell):
    """Appends, sends, thins, drops, reboots; `marks` says what was promised after which write:

    begun     append was called: it may be there from now on
    kept      the store says so: a class 2 record is offered or declared, any other is offered
    numbered  told to the flash and dropped, or an update: offered or declared
    sent      taken, and done right after
    """

    def __init__(self, log, boot=BOOTS[0], marks=None):
        self.log = log
        self.marks = [] if marks is None else marks  # (writes made till then, what, token)
        self.hoped = []  # tokens appended and not yet kept
        super().__init__(FOLDER, boot, budget=BUDGET, slack=SLACK)

    def mark(self, what, token):
        self.marks.append((len(self.log), what, token))

    def write(self, klass, later=False, ram=False):
        """Unless `later`, its steps are made, with now and then something else in between."""
        self.mark("begun", (klass, self.boot, self.seq + 1))
        token = self.append(klass, True, ram)
        if token and not ram:
            self.hoped.append(token)
        if not later and not ram:
            while self.step():
                pass
        return token

    def step(self):
        """One step; what it made safe is marked."""
        more = self.store.step()
        while self.hoped and self.hoped[0][2] <= self.store.kept:
            self.mark("kept", self.hoped.pop(0))
        return more

    def tidy(self):
        """Making room, with a record in the middle of it and its first step only."""
        for count, _ in enumerate(self.store.tidy()):
            if count % 5 == 3:
                self.write(2, later=True)
                self.step()

    def send(self, count):
        for _ in range(count):
            found = self.store.take()
            if found is None:
                return
            if not self.is_true(found):
                raise AssertionError("not what was appended: %r" % (found,))
            self.mark("sent", found[0])
            self.store.done(found[0])
            self.step()

    def _declare(self, of_boot, first, last, count, why):
        out = Shell._declare(self, of_boot, first, last, count, why)
        self.mark("begun", (1, self.boot, self.seq))
        return out

    def reboot(self, boot):
        again = Story(self.log, boot, self.marks)
        again.said = self.said
        return again


def record():
    """-> (writes, marks, what must come back under which token)"""
    log = []
    flash = ram_flash.RamFlash(BLOCKS)
    ram_flash.mount(flash, make=True)
    base = bytes(flash.data)
    flash.log = log
    unit = Story(log)
    for n in range(220):  # an outage: tracks, now and then an event, thinned and dropped
        unit.write(2)
        if n % 23 == 7:
            unit.write(1)
        if n % 9 == 8:
            unit.tidy()
    unit = unit.reboot(BOOTS[1])
    sos = unit.write(0, later=True)
    unit.mark("sent", sos)
    unit.store.take()
    unit.write(0, later=True)
    unit.write(1)  # takes both with it
    unit.store.done(sos)
    unit.send(25)  # a short session, lost in the middle of a window
    window = [unit.store.take()[0] for _ in range(5)]
    for token in (window[0], window[2], window[3]):
        unit.mark("sent", token)
        unit.store.done(token)
    unit.store.rewind()
    late = unit.write(0)
    unit.mark("numbered", late)
    unit.store.drop(late, "superseded")
    update = None
    for n in range(12):  # an SOS without a link: each update takes the place of the last
        last, update = update, unit.write(0, ram=True)
        if last:
            unit.store.drop(last, "superseded")
        while unit.step():
            pass
        unit.mark("numbered", update)
        if n % 2:
            unit.write(2)
    fill_up()
    unit = unit.reboot(BOOTS[2])
    unit.send(200)
    unit.write(2)
    unit.tidy()
    ram_flash.umount()
    return base, log, unit.marks, unit.said


def fill_up():
    """Somebody else fills the flash up, and clears it again."""
    try:
        with open("/flash/filler", "wb") as f:
            while True:
                f.write(b"x" * 4096)
    except OSError:
        pass
    os.remove("/flash/filler")


def tear(flash, write, way, dice):
    """Let only part of one write through."""
    op, block, offset, data = write
    if way == "not begun":
        return
    count = len(data) if op == "write" else ram_flash.BLOCK
    part = count if way == "whole" else dice % count
    if op == "erase":
        flash.erase(block, part)
        return
    flash.program(block, offset, data[:part])
    if way == "bits" and part < count:  # the next byte has only some of its zeros
        flash.program(block, offset + part, bytes([data[part] | (dice >> 3) & 0xFF]))


def sweep(step, first=0):
    """Cut at every `step`th write. -> (points, writes in all, [what was bad, …])"""
    base, log, marks, said = record()
    flash = ram_flash.RamFlash(BLOCKS)
    flash.data[:] = base
    left = ram_flash.RamFlash(BLOCKS)
    bad = []
    points = at = 0
    dice = 12345
    for cut in range(first, len(log), step):
        while at < cut:
            op, block, offset, data = log[at]
            if op == "erase":
                flash.erase(block, ram_flash.BLOCK)
            else:
                flash.program(block, offset, data)
            at += 1
        left.data[:] = flash.data
        dice = (dice * 1103515245 + 12345) & 0x3FFFFFFF
        way = WAYS[points % len(WAYS)]
        tear(left, log[cut], way, dice >> 8)
        points += 1
        try:
            why = judge(left, cut, marks, said)
        except (OSError, ValueError, IndexError) as e:
            why = repr(e)
        if why:
            bad.append((cut, way, log[cut][0], why))
        gc.collect()
    return points, len(log), bad


def judge(flash, cut, marks, said):
    """Boot from this flash: what is wrong with it, or None."""
    promised = {}  # token -> "kept" or "numbered"
    begun = set()
    sent = []
    for at, what, token in marks:
        if at > cut:
            break
        if what in ("kept", "numbered"):
            promised[token] = what
        elif what == "begun":
            begun.add(token)
        elif what == "sent":
            sent.append(token)
    ram_flash.mount(flash)
    try:
        unit = Shell(FOLDER, "f" * 16, budget=BUDGET, slack=1000)
        unit.said.update(said)
        unit.append(2)
        unit.append(0)
        out = unit.take_all()
        unit.store.settle()
        out += unit.take_all()  # gaps of what found no room
        unit.store.settle()
        again = Shell(FOLDER, "e" * 16)
        left = again.take_all()
    finally:
        ram_flash.umount()
    return fault(unit, out, left, promised, begun, sent)


def fault(unit, out, left, promised, begun, sent):
    offered = [o[0] for o in out]
    for found in out:
        if not unit.is_true(found):
            return "never appended: %r" % (found[0],)
    for token in offered:
        if token[1] != unit.boot and token not in begun:
            return "from the future: %r" % (token,)
    if left:
        return "not done after it was: %r" % (left,)
    if len(set(offered)) != len(offered):
        return "offered twice in one session"
    for klass in (0, 1, 2):
        mine = [t for t in offered if t[0] == klass]
        order = [(BOOTS + (unit.boot,)).index(t[1]) * 100000 + t[2] for t in mine]
        if order != sorted(order):
            return "out of order"
    have = set(offered)
    repeats = len([t for t in sent if t in have])
    if repeats > SLACK + OUT_OF_ORDER:
        return "%d finished records again" % repeats
    return unaccounted(unit, promised, have.union(sent))


def unaccounted(unit, promised, told):
    """What was promised and is neither among the records `told` nor declared by one of them.

    A gap names a wide range and the true count, so both are held against it.
    """
    gaps = []
    for token in told:
        words = unit.said.get(token, ("", b""))[1].split()
        if words[:1] == [b"gap"]:
            gaps.append([words[1].decode()] + [int(word) for word in words[2:5]])
    missing = [token for token in promised if token not in told]
    for token in missing:
        if token[0] != 2 and promised[token] == "kept":
            return "lost: %r" % (token,)
        if not [g for g in gaps if g[0] == token[1] and g[1] <= token[2] <= g[2]]:
            return "lost and not declared: %r" % (token,)
    for boot in BOOTS:
        count = len([token for token in missing if token[1] == boot])
        if count > sum([g[3] for g in gaps if g[0] == boot]):
            return "%d lost in %s, fewer declared" % (count, boot)
    return None
