"""One Modbus line, shared by its sensors: one request at a time, first come first served.

A slave that does not answer rests: it is asked again after REST_S, then twice that, up to the
configured limit, and whoever asks meanwhile is told at once, without the wire. So a dead slave
costs the others one time-out in a while, and a *late* answer finds nobody it could be taken for:
RTU frames carry no number, so an answer that is late by less than the rest is only kept from being
the answer to the next question by there being none. (Later than that no master can tell.)

Source: Modbus over Serial Line V1.02 (2.5.1.1 framing, 3.5 characters of silence), Modbus
Application Protocol V1.1b3 (function and exception codes).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge_agent.buses.port import REOPEN_S, BusFault, PortGone, not_opened, unplugged, why_not
from edge_agent.buses.section import ModbusSection, ModbusTcpSection

REST_S = 2.0
CONNECT_S = 3.0
BITS = (1, 2)  # functions that answer bits; 3 and 4 answer registers
EXCEPTIONS = {
    1: "不支持该功能码 / does not know this function: correct function",
    2: "没有该地址 / has no such address: correct address or type",
    3: "数量不被接受 / refuses the quantity: correct type",
    4: "内部故障 / reports a failure of its own",
    5: "处理中 / needs more time",
    6: "忙 / is busy",
    10: "网关无通路 / gateway: no path to it",
    11: "网关后设备无应答 / gateway: it does not answer",
}

# Each silent slave would be an error in its log; here that is a sensor's quality.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class NoAnswer(BusFault):
    """The slave was silent, or what came was no answer to the question."""

    failures = 1  # in a row; one lost frame is noise, more are a fault


class Garbled(NoAnswer):
    """Something came that was no valid frame."""


class Refused(BusFault):
    """The slave answered with an exception code: it lives, and says no."""


class Resting(NoAnswer):
    """Not asked, because it did not answer a moment ago."""


def rest_s(failures: int, limit_s: float) -> float:
    """Seconds a slave rests after so many failures in a row."""
    return min(REST_S * 2 ** min(failures - 1, 16), limit_s)


class Rest(NamedTuple):
    """Until when (loop time) a slave is not asked, and why."""

    until: float
    why: str
    failures: int


class Question(NamedTuple):
    """One request: how to send it, and how to know its answer."""

    slave: int
    function: int
    request: Callable[[Any], Awaitable[ModbusPDU]]  # client -> its answer
    whole: Callable[[ModbusPDU], bool]
    answer_bytes: int  # the frame's length, for its time on the wire


class ModbusBus:
    """RTU or TCP, as the section says."""

    def __init__(self, section: ModbusSection | ModbusTcpSection) -> None:
        self.section = section
        self.name = section.name
        self.up = asyncio.Event()
        self._lost = asyncio.Event()
        self._turn = asyncio.Lock()
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient | None = None
        self._tried = asyncio.Event()  # before the first attempt nobody can say what is wrong
        self._why = ""
        self._heard = 0  # bytes since the last request
        self._quiet_since = 0.0  # loop time of the last byte on the line, either way
        self._rests: dict[int, Rest] = {}

    async def run(self) -> None:
        """Keep the port open, for ever."""
        try:
            while True:
                opened = await self._open()
                self._tried.set()
                if opened:
                    self.up.set()
                    await self._lost.wait()
                    self.up.clear()
                    self._close()
                await asyncio.sleep(REOPEN_S)
        finally:
            self.up.clear()
            self._close()

    async def read(self, slave: int, function: int, address: int, count: int) -> list[int]:
        """`count` registers (functions 3, 4) or bits (1, 2) from `address`, as in the protocol:
        from 0. Raises BusFault."""
        bits = function in BITS

        def request(client: Any) -> Awaitable[ModbusPDU]:
            ask: dict[int, Any] = {
                1: client.read_coils,
                2: client.read_discrete_inputs,
                3: client.read_holding_registers,
                4: client.read_input_registers,
            }
            return ask[function](address, count=count, device_id=slave)

        def whole(answer: ModbusPDU) -> bool:
            # Bits come in whole bytes, registers exactly as many as were asked for.
            return len(answer.bits) >= count if bits else len(answer.registers) == count

        size = 5 + ((count + 7) // 8 if bits else 2 * count)
        answer = await self._ask(Question(slave, function, request, whole, size))
        return [int(item) for item in (answer.bits if bits else answer.registers)[:count]]

    async def _ask(self, question: Question) -> ModbusPDU:
        slave = question.slave
        self._check_rest(slave)
        async with self._turn:
            self._check_rest(slave)  # another sensor of this slave may just have waited in vain
            try:
                try:
                    answer = await self._exchange(question)
                except Garbled:
                    # It is there and something disturbed it: the one case in which asking again
                    # at once is safe, because the answer to the first question is gone already.
                    answer = await self._exchange(question)
            except NoAnswer as exc:
                exc.failures = self._let_rest(slave, str(exc))
                raise
        self._rests.pop(slave, None)
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            says = EXCEPTIONS.get(code, f"异常码 {code} / exception code {code}")
            raise Refused(f"从站 {slave} {says} (slave {slave}, {self.name})")
        return answer

    async def _exchange(self, question: Question) -> ModbusPDU:
        await self._tried.wait()
        client = self._client
        if client is None or not client.connected:
            raise PortGone(self._why)
        loop = asyncio.get_running_loop()
        if (silence := self._quiet_since + self._silence_s - loop.time()) > 0:
            await asyncio.sleep(silence)
        self._heard = 0
        # The answer's own time on the wire is not the slave's thinking.
        patience = self.section.timeout_s + (8 + question.answer_bytes) * self._char_s
        slave, name = question.slave, self.name
        try:
            async with asyncio.timeout(patience):
                answer = await question.request(client)
        except (TimeoutError, ModbusException, OSError) as exc:
            if not client.connected:
                raise PortGone(self._why) from exc
            if self._heard:
                garbage = f"从站 {slave} 应答有误 / slave {slave} answers garbage ({name})"
                raise Garbled(garbage) from exc
            raise NoAnswer(f"从站 {slave} 无应答 / slave {slave} does not answer ({name})") from exc
        if (task := asyncio.current_task()) and task.cancelling():
            # pymodbus waits with wait_for, which on Python 3.11 swallows a cancellation that comes
            # together with the answer: the agent would not end.
            raise asyncio.CancelledError
        ours = answer.function_code & 0x7F == question.function  # an exception has the top bit set
        if not ours or not (answer.isError() or question.whole(answer)):
            raise Garbled(
                f"从站 {slave} 答非所问 / slave {slave} answers another question ({name})"
            )
        return answer

    @property
    def _char_s(self) -> float:
        """Seconds one character takes: start, data, parity, stop."""
        section = self.section
        if not isinstance(section, ModbusSection):
            return 0.0
        bits = 1 + section.data_bits + (section.parity != "N") + section.stop_bits
        return bits / section.baud

    @property
    def _silence_s(self) -> float:
        """Between two frames: 3.5 characters, never below 1.75 ms (Serial Line V1.02, 2.5.1.1)."""
        return max(3.5 * self._char_s, 0.00175) if self._char_s else 0.0

    def _check_rest(self, slave: int) -> None:
        rest = self._rests.get(slave)
        if rest and asyncio.get_running_loop().time() < rest.until:
            resting = Resting(rest.why)
            resting.failures = rest.failures
            raise resting

    def _let_rest(self, slave: int, why: str) -> int:
        """Returns how often it has failed in a row."""
        before = self._rests.get(slave)
        failures = before.failures + 1 if before else 1
        until = asyncio.get_running_loop().time() + rest_s(failures, self.section.silent_retry_s)
        self._rests[slave] = Rest(until, why, failures)
        return failures

    async def _open(self) -> bool:
        self._lost.clear()
        section = self.section
        hooks: dict[str, Any] = {
            "retries": 0,  # the rest decides when a slave is asked again
            "reconnect_delay": 0,  # run() opens again, by name
            "timeout": 3600,  # _exchange has the real one
            "trace_packet": self._trace,
            "trace_connect": self._connected,
        }
        if isinstance(section, ModbusTcpSection):
            host, port = section.address
            client = AsyncModbusTcpClient(host, port=port, **hooks)
            self._why = f"连不上 {section.address} / {section.address} does not answer: check cable"
        else:
            if self._is_missing(section.port):
                return False
            client = AsyncModbusSerialClient(
                section.port,
                baudrate=section.baud,
                bytesize=section.data_bits,
                parity=section.parity,
                stopbits=section.stop_bits,
                handle_local_echo=section.echo,
                **hooks,
            )
        try:
            async with asyncio.timeout(CONNECT_S):
                opened = await client.connect()
        except TimeoutError:
            opened = False
        if not opened:
            client.close()
            if isinstance(section, ModbusSection):
                self._why = str(not_opened(section.port))
            return False
        self._client = client
        self._rests.clear()  # perhaps it was the adapter
        return True

    def _is_missing(self, port: str) -> bool:
        why = why_not(port)
        if why:
            self._why = why
        return why is not None

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _trace(self, sending: bool, data: bytes) -> bytes:
        self._quiet_since = asyncio.get_running_loop().time()
        if sending:
            self._quiet_since += len(data) * self._char_s  # they leave the UART that much later
        else:
            self._heard += len(data)
        return data

    def _connected(self, connected: bool) -> None:
        if not connected:
            if isinstance(self.section, ModbusSection):
                self._why = str(unplugged(self.section.port))
            self._lost.set()
