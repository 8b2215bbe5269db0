"""The county's side goes wrong: its tus server (a real one), and its confirmations."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from edge_agent.commands import Commands, Handler, Outcome
from edge_agent.county.signer import Signer
from edge_agent.docks import upload
from edge_agent.docks.config import Upload
from edge_agent.docks.docks import Docks
from edge_agent.docks.states import State
from edge_agent.outbox import Outbox
from patrol_contract import topics
from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes.cameras import noise, until
from tests.fakes.tus_server import TusServer

TOPIC = topics.topic("cp_cmd", C="c371500", K="k-07")
_KEY = rsa.generate_private_key(65537, 3072)


def states(docks: Docks) -> set[State]:
    return {row.state for row in docks.ledger.recordings()}


class CountyDesk:
    """The way a confirmation really takes: signed by the county, checked by commands.py."""

    def __init__(self, docks: Docks, folder: Path) -> None:
        self.acks: list[dict[str, Any]] = []
        self.signer = Signer(_KEY, "county-1", folder / "numbers.json")
        self.outbox = Outbox(folder / "outbox.db")
        self.commands = Commands(
            {"county-1": self.signer.modulus},
            "c371500",
            "k-07",
            self.outbox,
            self._report,
            self._nowhere,
        )

        async def confirm(fields: Any) -> Outcome:
            await docks.confirm(fields)
            return Outcome("done")

        self.commands.handlers["dock_confirm"] = Handler(confirm)

    async def _report(self, name: str, who: Any, fields: Any, /) -> None:
        self.acks.append(dict(fields))

    async def _nowhere(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing here is for a unit")

    async def __aenter__(self) -> CountyDesk:
        await self.outbox.open()
        await self.commands.load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.outbox.close()

    def sign(self, file: str, sha256: str) -> bytes:
        return self.signer.command("cp/k-07", "dock_confirm", file=file, sha256=sha256)[1]

    async def send(self, payload: bytes) -> str:
        """The state that was answered last."""
        await self.commands.receive(TOPIC, payload, False)
        return self.acks[-1]["state"]


def fast(rig: Rig, server: TusServer, **more: Any) -> None:
    section = Upload(url=server.url, kbit_s=1_000_000, chunk_kb=256, **more)
    rig.config = rig.config.model_copy(update={"upload": section})


async def uploaded_confirmed_released(folder: Path) -> None:
    """The whole way; and only the county's word leads to the end of it."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 3 * MIB + 5, b"DCIM/empty.mp4": 0})
    with TusServer(folder / "tus") as server:
        fast(rig, server)
        async with rig.running() as docks, CountyDesk(docks, folder) as county:
            camera.dock(rig.bay(1))
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            assert sorted(server.digests()) == sorted(camera.digest_list())
            for row in docks.ledger.recordings():
                assert row.file and row.sha256
                assert await county.send(county.sign(row.file, row.sha256)) == "done"
            assert states(docks) == {State.RELEASED}
            proof = [row for row in docks.ledger.journal() if row.kind == "COUNTY_CONFIRMED"]
            assert all(len(json.loads(row.detail)["sig"]) > 500 for row in proof)
            await until(lambda: len(rig.reporter.events("RELEASED")) == 2)
            await rig.all_sealed(docks, camera)
    rig.audit(camera)


async def server_killed_mid_upload(folder: Path) -> None:
    """Killed and started again: goes on at the server's offset, also over our own restart."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 4 * MIB})
    upload.RETRY_S = (0.2, 1.0)
    with TusServer(folder / "tus") as server:
        fast(rig, server)
        rig.config = rig.config.model_copy(
            update={"upload": rig.config.upload.model_copy(update={"kbit_s": 20_000})}  # type: ignore[union-attr]
        )

        def size() -> int:
            return sum(path.stat().st_size for path in server.files())

        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await until(lambda: size() > MIB, 30)
            server.stop()
            await until(lambda: docks.view()[0]["light"] == "done")
        assert MIB < size() < 4 * MIB
        async with rig.running() as docks:
            await asyncio.sleep(0.5)  # some attempts against nobody
            server.start()
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            assert server.digests() == camera.digest_list(), "begun anew, or mixed"
    rig.audit(camera)


async def server_loses_an_upload(folder: Path) -> None:
    """Uploaded, then gone at the server: noticed, told, sent again; never released."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    with TusServer(folder / "tus") as server:
        fast(rig, server, recheck_s=1)
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            server.lose()
            await until(lambda: server.digests() == camera.digest_list(), 30)
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            lost = [row for row in docks.ledger.journal() if "does not have it" in row.detail]
            assert len(lost) == 1
    rig.audit(camera)


async def server_spoils_an_upload(folder: Path) -> None:
    """The county got other bytes and says so: refused, sent again, confirmed only then."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    with TusServer(folder / "tus") as server:
        fast(rig, server)
        async with rig.running() as docks, CountyDesk(docks, folder) as county:
            camera.dock(rig.bay(1))
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            (row,) = docks.ledger.recordings()
            server.spoil()
            assert row.file and row.sha256
            assert await county.send(county.sign(row.file, server.digests()[0])) == "refused"
            assert "sent again" in county.acks[-1]["why"]
            await until(lambda: len(server.files()) == 2, 30)
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            assert camera.digest_list()[0] in server.digests()
            assert await county.send(county.sign(row.file, row.sha256)) == "done"
            assert states(docks) == {State.RELEASED}
    rig.audit(camera)


async def false_confirmations(folder: Path) -> None:
    """Forged, replayed, altered, wrong hash, unknown file, not yet announced: none releases."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB, b"DCIM/B.mp4": MIB + 1})
    async with rig.running() as docks, CountyDesk(docks, folder) as county:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        a, b = docks.ledger.recordings()
        assert a.file and a.sha256 and b.file and b.sha256
        forger = Signer(rsa.generate_private_key(65537, 3072), "county-1", folder / "forger.json")
        forged = forger.command("cp/k-07", "dock_confirm", file=a.file, sha256=a.sha256)[1]
        altered = county.sign(b.file, b.sha256).replace(b.file.encode(), a.file.encode())
        altered = altered.replace(b.sha256.encode(), a.sha256.encode())
        elsewhere = county.signer.command("cp/k-08", "dock_confirm", file=a.file, sha256=a.sha256)
        for name, payload in {
            "forged": forged,
            "altered": altered,
            "for another checkpoint": elsewhere[1],
            "wrong hash": county.sign(a.file, b.sha256),
            "unknown file": county.sign("000009-bay-1-X/data/no.mp4", a.sha256),
        }.items():
            assert await county.send(payload) == "refused", name
            assert states(docks) == {State.ANNOUNCED}, name
        genuine = county.sign(a.file, a.sha256)
        assert await county.send(genuine) == "done"
        rows = len(docks.ledger.journal())
        assert await county.send(genuine) == "done"  # told again what became of it, done once
        assert len(docks.ledger.journal()) == rows
        assert docks.ledger.get(b.id).state is State.ANNOUNCED  # type: ignore[union-attr]
    rig.audit(camera)


async def polite(folder: Path) -> None:
    """Nothing is sent while the uplink is busy, nor outside the allowed hours."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": noise(MIB, "polite")})
    busy = [True]
    with TusServer(folder / "tus") as server:
        fast(rig, server)
        async with rig.running(uplink_busy=lambda: busy[0]) as docks:
            camera.dock(rig.bay(1))
            await until(lambda: len(server.files()) == 1, 30)  # made, and waiting
            await asyncio.sleep(1)
            assert server.files()[0].stat().st_size == 0
            busy[0] = False
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
    rig.audit(camera)


UPLOAD_SCENARIOS = (
    uploaded_confirmed_released,
    server_killed_mid_upload,
    server_loses_an_upload,
    server_spoils_an_upload,
    false_confirmations,
    polite,
)
