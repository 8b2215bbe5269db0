"""The county's side goes wrong: its tus server (a real one), and its confirmations."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from edge_agent.county.signer import Signer
from edge_agent.docks import upload
from edge_agent.docks.config import Upload
from edge_agent.docks.docks import Docks
from edge_agent.docks.states import State
from tests.edge_agent.docks.county_desk import CountyDesk
from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes.cameras import noise, until
from tests.fakes.tus_server import TusServer


def states(docks: Docks) -> set[State]:
    return {row.state for row in docks.ledger.recordings()}


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
    """Nothing is sent while the uplink is busy."""
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


async def outside_the_allowed_hours(folder: Path) -> None:
    """The hours end in the middle of a file: it waits there, and goes on when they begin again."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 3 * MIB})
    original, may = upload.allowed, [False]
    upload.allowed = lambda hours, now: may[0]
    try:
        with TusServer(folder / "tus") as server:
            fast(rig, server, hours="22:00-06:00")
            section = rig.config.upload.model_copy(update={"kbit_s": 8000})  # type: ignore[union-attr]
            rig.config = rig.config.model_copy(update={"upload": section})

            def size() -> int:
                return sum(path.stat().st_size for path in server.files())

            async with rig.running() as docks:
                camera.dock(rig.bay(1))
                await rig.all_sealed(docks, camera)
                await asyncio.sleep(1.5)  # longer than it takes to look for work
                assert not server.files()
                may[0] = True
                await until(lambda: size() > MIB // 2, 30)
                may[0] = False
                await asyncio.sleep(1.0)  # longer than a request
                before = size()
                await asyncio.sleep(1.0)
                assert MIB // 2 < size() == before < 3 * MIB
                may[0] = True
                await until(lambda: states(docks) == {State.UPLOADED}, 30)
                assert server.digests() == camera.digest_list()
    finally:
        upload.allowed = original
    rig.audit(camera)


async def somebody_else_answers(folder: Path) -> None:
    """A login page where the server should be: told, tried again, and nothing believed of it."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    upload.RETRY_S = (0.2, 1.0)
    faults: list[str] = []

    places = cycle(("/login", "http://elsewhere.example/files/1"))

    class Portal(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Location", next(places))
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello"[: 0 if self.command == "HEAD" else 5])

        do_POST = do_PATCH = do_HEAD = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    portal = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    section = Upload(url=f"http://127.0.0.1:{portal.server_port}/files")
    rig.config = rig.config.model_copy(update={"upload": section})

    def fault(name: str, why: str | None) -> None:
        if name == "upload" and why:
            faults.append(why)

    try:
        async with rig.running(fault=fault) as docks:
            camera.dock(rig.bay(1))
            await until(lambda: any("another one" in why for why in faults))
            await until(lambda: len(faults) >= 3)
            assert states(docks) == {State.ANNOUNCED}
    finally:
        portal.shutdown()
        portal.server_close()
    with TusServer(folder / "tus") as server:
        fast(rig, server)
        async with rig.running() as docks:
            await until(lambda: states(docks) == {State.UPLOADED}, 30)
            assert server.digests() == camera.digest_list()
    rig.audit(camera)


UPLOAD_SCENARIOS = (
    uploaded_confirmed_released,
    server_killed_mid_upload,
    server_loses_an_upload,
    server_spoils_an_upload,
    false_confirmations,
    polite,
    outside_the_allowed_hours,
    somebody_else_answers,
)
