"""An RS-485 line with real RTU slaves: pymodbus's own server behind a pty, and a filter on it.

In a test or in the demo (own thread, own loop: the agent's loop never waits for it):

    with ModbusLine(tmp / "ttyRS485", {3: {"input": {0: 231}, "coil": {0: False}}}) as line:
        ...                                   # the agent opens str(line.link)
        line.set(3, "input", 0, [250])        # a register changes
        line.get(3, "coil", 0)                # what the agent wrote
        line.fault(3, "silent")               # see FAULTS; None heals it
        line.unplug(); line.plug()            # the adapter, back under another /dev/pts number
        line.asked[3]                         # how many requests slave 3 has had

As a process of its own, one JSON command a line on stdin, one answer a line on stdout:

    python -m tests.fakes.modbus_slave LINK '{"3": {"input": {"0": 231}}}' [--baud 9600]
    {"do": "set", "args": [3, "input", 0, [250]]}

The filter is needed because pymodbus's server answers for slaves that are not there; here an absent
slave is silent, as on a wire. With `baud` every frame takes its time on the wire, and the slave
waits `turnaround_s` before it answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

from pymodbus.framer.rtu import FramerRTU
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.fakes.pty_port import PtyPort

# Table -> (function that reads it, function that writes it).
TABLES = {"coil": (1, 15), "discrete": (2, 2), "holding": (3, 16), "input": (4, 4)}
FAULTS = (
    "silent",  # no answer at all
    "garbage",  # noise of about the right length
    "bad_crc",  # the right answer with one bit flipped
    "truncated",  # the answer stops half way
    "late",  # the right answer, `late_s` after it was asked for
    "busy",  # exception 6, server device busy
    "wrong_slave",  # a valid frame from another address
    "wrong_function",  # a valid frame that answers another question
    "short",  # a valid frame with one register fewer than asked
    "babble",  # noise before the right answer
    "nonsense",  # frames with a right CRC and any function and length
)

Registers = Mapping[str, Mapping[int, int | bool]]


def _device(slave: int, tables: Registers) -> SimDevice:
    def block(table: str) -> list[SimData]:
        cells = dict(tables.get(table, {})) or {0: 0}
        if table in ("coil", "discrete"):
            bits = [bool(cells.get(a, False)) for a in range(max(cells) + 1)]
            return [SimData(0, values=bits, datatype=DataType.BITS)]
        return [
            SimData(a, values=[int(v) & 0xFFFF], datatype=DataType.REGISTERS)
            for a, v in sorted(cells.items())
        ]

    return SimDevice(
        id=slave, simdata=(block("coil"), block("discrete"), block("holding"), block("input"))
    )


def _request_size(head: bytes) -> int | None:
    """Length of the request that begins with `head`, None while that is unknown."""
    if len(head) < 7:
        return None
    return 9 + head[6] if head[1] in (15, 16) else 8


def _answer_size(head: bytes) -> int | None:
    if len(head) < 3:
        return None
    if head[1] & 0x80:
        return 5
    return 5 + head[2] if head[1] in (1, 2, 3, 4) else 8


def _sealed(body: bytes) -> bytes:
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class ModbusLine:
    """Slaves on one line. Methods may be called from any thread once the line is entered."""

    def __init__(
        self,
        link: Path,
        slaves: Mapping[int, Registers],
        *,
        baud: int | None = None,
        turnaround_s: float = 0.0,
        late_s: float = 0.5,
        echo: bool = False,
        seed: int = 1,
    ) -> None:
        self.link = link
        self.asked: Counter[int] = Counter()
        self.written: list[bytes] = []  # requests that write, as they came
        self.late_s = late_s
        self._slaves = dict(slaves)
        self._char_s = 10 / baud if baud else 0.0  # 8N1: ten bits a character
        self._turnaround_s = turnaround_s
        self._echo = echo  # an adapter that hears itself
        self._random = random.Random(seed)
        self._faults: dict[int, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="modbus-line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def set(self, slave: int, table: str, address: int, values: list[int] | list[bool]) -> None:
        """Change what the slave will answer."""
        code = TABLES[table][1]
        self._call(lambda: self._server.async_setValues(slave, code, address, values))

    def get(self, slave: int, table: str, address: int) -> int | bool:
        return self._call(lambda: self._server.async_getValues(slave, TABLES[table][0], address))[0]

    def counts(self) -> dict[int, int]:
        """`asked`, for who drives the line as a process."""
        return dict(self.asked)

    def fault(self, slave: int, name: str | None) -> None:
        """From the next request on; None heals."""
        if name is not None and name not in FAULTS:
            raise ValueError(f"no fault {name!r}: one of {', '.join(FAULTS)}")

        async def change() -> None:
            if name is None:
                self._faults.pop(slave, None)
            else:
                self._faults[slave] = name

        self._call(change)

    def unplug(self) -> None:
        async def out() -> None:
            if self._port.plugged:
                self._loop.remove_reader(self._port.master)
                self._port.unplug()
                self._inbox.clear()

        self._call(out)

    def plug(self) -> None:
        async def back() -> None:
            if not self._port.plugged:
                self._port.plug()
                self._loop.add_reader(self._port.master, self._heard)

        self._call(back)

    def _call(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    # ------------------------------------------------------------- the line's own thread

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as exc:
            self._failure = exc
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._turn = asyncio.Lock()  # the server answers one request at a time
        self._inbox = bytearray()
        back = PtyPort(self.link.with_name(self.link.name + ".server"))
        self._back = back
        self._server = ModbusSerialServer(
            [_device(s, tables) for s, tables in self._slaves.items()], port=str(back.link)
        )
        await self._server.serve_forever(background=True)
        self._port = PtyPort(self.link)
        self._loop.add_reader(self._port.master, self._heard)
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            if self._port.plugged:
                self._loop.remove_reader(self._port.master)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.shutdown()
            self._port.close()
            back.close()

    def _heard(self) -> None:
        """Cut what the agent sent into requests; each is answered by a task of its own, because
        a late slave does not hold up the line."""
        try:
            data = os.read(self._port.master, 4096)
        except (BlockingIOError, OSError):
            return
        began = self._loop.time()
        if self._echo:
            os.write(self._port.master, data)
        self._inbox += data
        while (size := _request_size(self._inbox)) and len(self._inbox) >= size:
            frame = bytes(self._inbox[:size])
            del self._inbox[:size]
            if FramerRTU.compute_CRC(frame[:-2]).to_bytes(2, "big") != frame[-2:]:
                self._inbox.clear()  # as a slave does: wait for silence
                return
            task = asyncio.ensure_future(self._answer(frame, began))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, frame: bytes, began: float) -> None:
        slave = frame[0]
        self.asked[slave] += 1
        fault = self._faults.get(slave)
        if fault == "silent" or slave not in self._slaves:
            return
        if frame[1] in (5, 6, 15, 16):
            self.written.append(frame)
        answer = await self._ask_server(frame)
        starts = began + len(frame) * self._char_s + self._turnaround_s
        if fault == "late":
            starts = began + self.late_s
        await self._send(self._spoil(fault, answer), starts)

    async def _ask_server(self, frame: bytes) -> bytes:
        """One round trip through pymodbus's server on its own pty."""
        async with self._turn:
            os.write(self._back.master, frame)
            answer = bytearray()
            readable = asyncio.Event()
            self._loop.add_reader(self._back.master, readable.set)
            try:
                while (size := _answer_size(answer)) is None or len(answer) < size:
                    await asyncio.wait_for(readable.wait(), 5)
                    readable.clear()
                    answer += os.read(self._back.master, 4096)
            finally:
                self._loop.remove_reader(self._back.master)
            return bytes(answer)

    def _spoil(self, fault: str | None, answer: bytes) -> bytes:
        match fault:
            case "garbage":
                return self._random.randbytes(len(answer))
            case "bad_crc":
                return answer[:3] + bytes([answer[3] ^ 0x10]) + answer[4:]
            case "truncated":
                return answer[: len(answer) // 2]
            case "busy":
                return _sealed(bytes([answer[0], answer[1] | 0x80, 6]))
            case "wrong_slave":
                return _sealed(bytes([answer[0] ^ 0x40]) + answer[1:-2])
            case "wrong_function":
                return _sealed(bytes([answer[0], answer[1] ^ 7]) + answer[2:-2])
            case "short":
                return _sealed(answer[:2] + bytes([max(answer[2] - 2, 0)]) + answer[3:-4])
            case "nonsense":
                size = self._random.randrange(1, 12)
                return _sealed(answer[:1] + self._random.randbytes(size))
            case "babble":
                return b"\x00\xff\x00" + answer
            case _:
                return answer

    async def _send(self, data: bytes, starts: float) -> None:
        """In pieces of 8, each when its last bit is through: as a UART's FIFO hands them on."""
        for at in range(0, len(data), 8):
            piece = data[at : at + 8]
            await self._until(starts + (at + len(piece)) * self._char_s)
            if not self._port.plugged:
                return
            os.write(self._port.master, piece)

    async def _until(self, when: float) -> None:
        if (wait := when - self._loop.time()) > 0:
            await asyncio.sleep(wait)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("link", type=Path)
    parser.add_argument("slaves", type=json.loads)
    parser.add_argument("--baud", type=int)
    parser.add_argument("--turnaround", type=float, default=0.0)
    options = parser.parse_args()
    slaves = {
        int(slave): {t: {int(a): v for a, v in cells.items()} for t, cells in tables.items()}
        for slave, tables in options.slaves.items()
    }
    line = ModbusLine(options.link, slaves, baud=options.baud, turnaround_s=options.turnaround)
    with line:
        print(json.dumps({"ready": str(line.link)}), flush=True)
        for command in map(json.loads, sys.stdin):
            answer = getattr(line, command["do"])(*command.get("args", []))
            print(json.dumps({"done": command["do"], "answer": answer}), flush=True)


if __name__ == "__main__":
    main()
