"""`network.PPP` on a desk."""

import world


class PPP:
    """Over a UART that a modem answers on; the cell is the world's file `lte`."""

    SEC_NONE, SEC_PAP, SEC_CHAP = 0, 1, 2

    def __init__(self, stream):
        self._active = False
        self._dialled = False

    def active(self, on=None):
        if on is not None:
            self._active = bool(on)
            if not on:
                self._dialled = False
        return self._active

    def connect(self, security=0, user=None, key=None):
        if not self._active:
            raise OSError("not active")
        self._dialled = True

    def disconnect(self):
        self._dialled = False

    def isconnected(self):
        return self._dialled and world.lines("lte") == [["1"]]

    def poll(self):
        pass
