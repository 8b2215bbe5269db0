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
from collections.abc import Callable
from typing import Any

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge_agent.buses.port import REOPEN_S, BusFault, PortGone, not_opened, why_not
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


class Garbled(NoAnswer):
    """Something came that was no valid frame."""


class Refused(BusFault):
    """The slave answered with an exception code: it lives, and says no."""


class Resting(NoAnswer):
    """Not asked, because it did not answer a moment ago."""


def rest_s(failures: int, limit_s: float) -> float:
    """Seconds a slave rests after so many failures in a row."""
    return min(REST_S * 2 ** min(failures - 1, 16), limit_s)


class ModbusBus:
    """RTU or TCP, as the section says."""

    def __init__(self, section: ModbusSection | ModbusTcpSection) -> None:
        self.section = section
        self.name = section.name
        self.up = asyncio.Event()
        self._lost = asyncio.Event()
        self._turn = asyncio.Lock()
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient | None = None
        self._why = f"总线 {section.name} 尚未打开 / bus {section.name} is not open yet"
        self._heard = 0  # bytes since the last request
        self._free_at = 0.0  # when the line has been silent long enough
        self._failures: dict[int, int] = {}
        self._rests: dict[int, tuple[float, str]] = {}

    async def run(self) -> None:
        """Keep the port open, for ever."""
        try:
            while True:
                if await self._open():
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

        def request(client: Any) -> Any:
            ask: dict[int, Any] = {
                1: client.read_coils,
                2: client.read_discrete_inputs,
                3: client.read_holding_registers,
                4: client.read_input_registers,
            }
            return ask[function](address, count=count, device_id=slave)

        answer_bytes = 5 + ((count + 7) // 8 if function in BITS else 2 * count)
        answer = await self._ask(slave, function, request, answer_bytes)
        got = list(answer.bits if function in BITS else answer.registers)
        enough = len(got) >= count if function in BITS else len(got) == count
        if not enough:
            raise self._failed(slave, f"从站 {slave} 应答长度不对 / slave {slave}: wrong length")
        return [int(item) for item in got[:count]]

    async def write_coil(self, slave: int, address: int, on: bool) -> None:
        """Function 5. Raises BusFault."""
        await self._ask(slave, 5, lambda c: c.write_coil(address, on, device_id=slave), 8)

    async def _ask(
        self, slave: int, function: int, request: Callable[[Any], Any], answer_bytes: int
    ) -> ModbusPDU:
        self._check_rest(slave)
        async with self._turn:
            self._check_rest(slave)  # another sensor of this slave may just have waited in vain
            try:
                answer = await self._exchange(slave, request, answer_bytes)
            except Garbled:
                # It is there and something disturbed it: the one case in which asking again at
                # once is safe, because the answer to the first question is gone already.
                answer = await self._exchange(slave, request, answer_bytes)
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            self._answered(slave)
            says = EXCEPTIONS.get(code, f"异常码 {code} / exception code {code}")
            raise Refused(f"从站 {slave} {says} (slave {slave}, {self.name})")
        if answer.function_code != function:
            raise self._failed(slave, f"从站 {slave} 答非所问 / slave {slave}: another answer")
        self._answered(slave)
        return answer

    async def _exchange(
        self, slave: int, request: Callable[[Any], Any], answer_bytes: int
    ) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            raise PortGone(self._why)
        loop = asyncio.get_running_loop()
        if (silence := self._free_at - loop.time()) > 0:
            await asyncio.sleep(silence)
        self._heard = 0
        # The answer's own time on the wire is not the slave's thinking.
        patience = self.section.timeout_s + (8 + answer_bytes) * self._char_s
        try:
            async with asyncio.timeout(patience):
                answer: ModbusPDU = await request(client)
        except (TimeoutError, ModbusException, OSError) as exc:
            if not client.connected:
                raise PortGone(self._why) from exc
            if self._heard:
                why = f"从站 {slave} 应答有误 / slave {slave} answers garbage ({self.name})"
                raise self._failed(slave, why, Garbled) from exc
            why = f"从站 {slave} 无应答 / slave {slave} does not answer ({self.name})"
            raise self._failed(slave, why) from exc
        finally:
            self._free_at = loop.time() + max(3.5 * self._char_s, 0.00175) * bool(self._char_s)
        return answer

    @property
    def _char_s(self) -> float:
        """Seconds one character takes: start, data, parity, stop."""
        section = self.section
        if not isinstance(section, ModbusSection):
            return 0.0
        bits = 1 + section.data_bits + (section.parity != "N") + section.stop_bits
        return bits / section.baud

    def _check_rest(self, slave: int) -> None:
        until, why = self._rests.get(slave, (0.0, ""))
        if asyncio.get_running_loop().time() < until:
            raise Resting(why)

    def _failed(self, slave: int, why: str, kind: type[NoAnswer] = NoAnswer) -> NoAnswer:
        failures = self._failures[slave] = self._failures.get(slave, 0) + 1
        rest = rest_s(failures, self.section.silent_retry_s)
        self._rests[slave] = (asyncio.get_running_loop().time() + rest, why)
        return kind(why)

    def _answered(self, slave: int) -> None:
        self._failures.pop(slave, None)
        self._rests.pop(slave, None)

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
        if not sending:
            self._heard += len(data)
        return data

    def _connected(self, connected: bool) -> None:
        if not connected:
            if isinstance(self.section, ModbusSection):
                self._why = f"串口 {self.section.port} 被拔出 / {self.section.port} was unplugged"
            self._lost.set()
