"""What each order does, and what becomes of one that a restart interrupted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.board import Board
from edge_agent.commands import INTERRUPTED, Commands, Handler
from edge_agent.county.signer import Signer, keygen
from edge_agent.orders import Orders, passed, take_back, trial
from edge_agent.outbox import Outbox
from patrol_contract import topics

ROOT = Path(__file__).parents[2]
C, K = "c371500", "k-07"
GOOD = '[checkpoint]\nid = "k-07"\ncounty = "c371500"\n'
TOPIC = topics.topic("cp_cmd", C=C, K=K)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    folder = tmp_path_factory.mktemp("county")
    keygen(folder, "county-1")
    return Signer.load(folder)


class Desk:
    """Commands and orders of one start, and everything they did."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.folder, self.signer = folder, signer
        self.did: list[Any] = []
        self.acks: list[tuple[str, str | None]] = []
        self.toml = folder / "agent.toml"
        self.toml.write_text(GOOD)

    async def start(self) -> None:
        self.outbox = Outbox(self.folder / "outbox.db")
        await self.outbox.open()
        self.board = Board()
        self.commands = Commands(
            {self.signer.kid: self.signer.modulus}, C, K, self.outbox, self._report, self._deliver
        )
        self.orders = Orders(
            self.commands, self.board, switch=self._switch, announce=self._announce,
            confirm=self._confirm, toml=self.toml, restart=lambda: self.did.append("restart"),
        )  # fmt: skip
        await self.commands.load()

    async def _report(self, name: str, who: Any, fields: Any, /) -> None:
        self.acks.append((fields["state"], fields.get("why")))

    async def _deliver(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing for a unit here")

    async def _switch(self, output: str, on: bool, who: str) -> None:
        if output == "barrier":
            raise RuntimeError("relay board does not answer")
        self.did.append((output, on))

    async def _announce(self, file: str, times: int, who: str) -> None:
        self.did.append((file, times))

    async def _confirm(self, fields: Any) -> str:
        return fields["file"]

    async def order(self, cmd: str, **own: Any) -> str:
        """Send it; returns its id."""
        _, payload = self.signer.command(f"cp/{K}", cmd, **own)
        await self.commands.receive(TOPIC, payload, False)
        return payload.split(b'"id":"')[1][:16].decode()


@pytest.fixture
async def desk(tmp_path: Path, signer: Signer) -> AsyncIterator[Desk]:
    here = Desk(tmp_path, signer)
    await here.start()
    yield here
    await here.outbox.close()


async def test_what_moves_is_done_and_answered(desk: Desk) -> None:
    await desk.order("siren", on=True)
    await desk.order("announce", file="curfew.wav", times=2)
    await desk.order("dock_confirm", file="a.mp4", sha256="0" * 64)
    assert desk.did == [("siren", True), ("curfew.wav", 2)]
    assert desk.acks == [("received", None), ("done", None)] * 2 + [
        ("received", None),
        ("done", "a.mp4"),
    ]


async def test_what_fails_is_refused_with_its_reason(desk: Desk) -> None:
    await desk.order("barrier", open=True)
    assert desk.acks[-1] == ("refused", "RuntimeError: relay board does not answer")


async def test_a_roll_call_waits_for_staff_and_is_shown_again_after_a_restart(desk: Desk) -> None:
    order = await desk.order("rollcall", within_s=60)
    assert desk.acks == [("received", None)]
    await desk.outbox.close()
    await desk.start()
    assert desk.board.get("order", order)["within_s"] == 60
    await desk.orders.answer(order, "李", "2 人在岗")
    assert desk.acks[-1] == ("answered", "2 人在岗")
    assert desk.board.get("order", order) == {}
    with pytest.raises(LookupError):
        await desk.orders.answer(order, "李")


async def test_a_seal_off_is_lifted_by_the_county(desk: Desk) -> None:
    order = await desk.order("seal_off", why="在逃人员", place="public")
    assert desk.board.get("order", order)["cmd"] == "seal_off"
    await desk.order("seal_off", why="解除", on=False)
    assert desk.board.view()["order"] == {}
    assert desk.acks[-1] == ("done", None)


async def test_what_would_move_something_is_not_done_after_a_restart(desk: Desk) -> None:
    started = asyncio.Event()

    async def hang(fields: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    desk.commands.handlers["siren"] = Handler(hang)
    task = asyncio.create_task(desk.order("siren", on=True))
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await desk.outbox.close()
    await desk.start()
    assert desk.acks[-1] == ("refused", INTERRUPTED)
    assert desk.did == []


async def test_a_bad_configuration_is_refused_whole_and_the_old_one_stays(desk: Desk) -> None:
    bad = GOOD + "[units]\nlissten = 1\n"
    for text, digest in ((bad, None), (GOOD + "\n", "0" * 64)):
        digest = digest or hashlib.sha256(text.encode()).hexdigest()
        await desk.order("config", toml=text, sha256=digest)
        assert desk.acks[-1][0] == "refused"
    assert desk.toml.read_text() == GOOD
    assert sorted(path.name for path in desk.folder.glob("agent*")) == ["agent.toml"]


async def test_a_good_configuration_takes_the_old_ones_place(desk: Desk) -> None:
    text = GOOD + "[clock]\nrtc = true\n"
    await desk.order("config", toml=text, sha256=hashlib.sha256(text.encode()).hexdigest())
    assert desk.acks[-1] == ("done", None)
    assert desk.toml.read_text() == text
    assert (desk.folder / "agent.toml.before").read_text() == GOOD
    async with asyncio.timeout(3):
        while "restart" not in desk.did:  # noqa: ASYNC110 - it leaves time for the answer
            await asyncio.sleep(0.02)


async def test_a_configuration_the_agent_cannot_start_with_is_taken_back(desk: Desk) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    text = GOOD + f'[desk]\nlisten = "127.0.0.1:{port}"\n'
    await desk.order("config", toml=text, sha256=hashlib.sha256(text.encode()).hexdigest())
    assert desk.acks[-1] == ("done", None), "nothing in it says that the port is taken"
    ended = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent.cli", "run", "-c", str(desk.toml),
        cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
    )  # fmt: skip
    _, said = await asyncio.wait_for(ended.communicate(), 20)
    taken.close()
    assert ended.returncode == 2 and "taken back" in said.decode()
    assert desk.toml.read_text() == GOOD
    assert not trial(desk.toml).exists()


async def test_a_configuration_that_reached_the_county_is_on_trial_no_more(desk: Desk) -> None:
    text = GOOD + "[clock]\nrtc = true\n"
    await desk.order("config", toml=text, sha256=hashlib.sha256(text.encode()).hexdigest())
    assert trial(desk.toml).exists()
    passed(desk.toml)
    assert not take_back(desk.toml) and desk.toml.read_text() == text


async def test_an_order_for_another_checkpoint_is_refused(desk: Desk) -> None:
    _, payload = desk.signer.command("cp/k-08", "siren", on=True)
    await desk.commands.receive(TOPIC, payload, False)
    assert desk.acks == [("refused", "addressed to someone else")] and desk.did == []


async def test_an_order_whose_outcome_is_forgotten_is_still_not_done_twice(desk: Desk) -> None:
    """The window of numbers outlives the list of outcomes, and a restart."""
    _, payload = desk.signer.command(f"cp/{K}", "siren", on=True)
    await desk.commands.receive(TOPIC, payload, False)
    desk.commands._outcomes.clear()
    await desk.commands._keep()
    await desk.outbox.close()
    await desk.start()
    await desk.commands.receive(TOPIC, payload, False)
    assert desk.acks[-1] == ("refused", "seen before, or too old to tell")
    assert desk.did == [("siren", True)]
