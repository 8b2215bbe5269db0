"""TLS: the certificate is the identity; rights, quota and takeover at the units' endpoint."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509

from edge_agent.outbox import Outbox
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from edge_agent.units.quota import Bucket
from edge_agent.units.rights import UnitRights
from flashing import certs
from patrol_contract import messages, topics
from patrol_contract.catalogue import MESSAGES
from patrol_contract.examples import EXAMPLES

C, U, OTHER = "c371500", "u-0123", "u-0999"


def mark(seq: int) -> bytes:
    return messages.encode("unit_mark", {**EXAMPLES["unit_mark"][1], "seq": seq})


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Path, UnitsEndpoint, Outbox]]:
    ca = certs.make_ca(tmp_path / "ca", C)
    certs.issue(ca, "k-07", "checkpoint", ["127.0.0.1"], tmp_path)
    certs.issue(ca, U, "unit", [], tmp_path)
    certs.issue(certs.make_ca(tmp_path / "stranger", C), OTHER, "unit", [], tmp_path)
    (tmp_path / "ca.cert.pem").write_bytes(ca.cert_pem)
    config = UnitsConfig(
        listen="127.0.0.1:0",
        ca=tmp_path / "ca.cert.pem",
        cert=tmp_path / "k-07.cert.pem",
        key=tmp_path / "k-07.key.pem",
    )
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    endpoint = UnitsEndpoint(config, outbox, C)
    task = asyncio.create_task(endpoint.run())
    async with asyncio.timeout(5):
        while endpoint.address is None:  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(0.01)
    yield tmp_path, endpoint, outbox
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await outbox.close()


def client(folder: Path, endpoint: UnitsEndpoint, name: str, **more: object) -> aiomqtt.Client:
    context = ssl.create_default_context(cafile=folder / "ca.cert.pem")
    context.load_cert_chain(folder / f"{name}.cert.pem", folder / f"{name}.key.pem")
    assert endpoint.address is not None
    given = {"identifier": name, "tls_context": context, "timeout": 5, **more}
    return aiomqtt.Client(*endpoint.address, **given)  # type: ignore[arg-type]


async def test_a_units_certificate_lets_it_in(place: tuple[Path, UnitsEndpoint, Outbox]) -> None:
    folder, endpoint, outbox = place
    async with client(folder, endpoint, U) as unit:
        await unit.publish(topics.topic("unit_mark", C=C, U=U), mark(1), qos=1)
        assert endpoint.here() == [U]
    assert outbox.backlog().rows == 1


@pytest.mark.parametrize(
    "more", [{"identifier": OTHER}, {"username": OTHER}, {"will": aiomqtt.Will("x/y", b"", 1)}]
)
async def test_nobody_is_someone_else(
    place: tuple[Path, UnitsEndpoint, Outbox], more: dict[str, object]
) -> None:
    folder, endpoint, _ = place
    with pytest.raises(aiomqtt.MqttError):
        async with client(folder, endpoint, U, **more):
            pass
    assert endpoint.here() == []


async def test_a_stranger_is_not_let_in(place: tuple[Path, UnitsEndpoint, Outbox]) -> None:
    folder, endpoint, outbox = place
    with pytest.raises(aiomqtt.MqttError):
        async with client(folder, endpoint, OTHER) as unit:
            await unit.publish(topics.topic("unit_mark", C=C, U=OTHER), mark(1), qos=1)
    assert outbox.backlog().rows == 0


async def test_a_revoked_certificate_is_not_let_in(tmp_path: Path) -> None:
    ca = certs.make_ca(tmp_path / "ca", C)
    certs.issue(ca, "k-07", "checkpoint", ["127.0.0.1"], tmp_path)
    lost = certs.issue(ca, U, "unit", [], tmp_path)
    certs.issue(ca, OTHER, "unit", [], tmp_path)
    (tmp_path / "ca.cert.pem").write_bytes(ca.cert_pem)
    serial = x509.load_pem_x509_certificate(lost.cert_pem).serial_number
    config = UnitsConfig(
        listen="127.0.0.1:0",
        ca=tmp_path / "ca.cert.pem",
        cert=tmp_path / "k-07.cert.pem",
        key=tmp_path / "k-07.key.pem",
        crl=certs.revoke(ca, [serial], "lost"),
    )
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    endpoint = UnitsEndpoint(config, outbox, C)
    task = asyncio.create_task(endpoint.run())
    async with asyncio.timeout(5):
        while endpoint.address is None:  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(0.01)
    async with client(tmp_path, endpoint, OTHER):
        assert endpoint.here() == [OTHER]
    with pytest.raises(aiomqtt.MqttError):
        async with client(tmp_path, endpoint, U) as unit:
            await unit.publish(topics.topic("unit_mark", C=C, U=U), mark(1), qos=1)
    assert outbox.backlog().rows == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await outbox.close()


async def test_a_second_connection_of_a_unit_takes_over(
    place: tuple[Path, UnitsEndpoint, Outbox],
) -> None:
    folder, endpoint, outbox = place
    will = aiomqtt.Will(topics.topic("unit_state", C=C, U=U), b"{}", 1, True)
    first = client(folder, endpoint, U, will=will)
    await first.__aenter__()
    async with client(folder, endpoint, U) as second:
        await second.publish(topics.topic("unit_mark", C=C, U=U), mark(1), qos=1)
        assert endpoint.here() == [U]
    with pytest.raises(aiomqtt.MqttError):
        await first.publish("x", b"", qos=1, timeout=1)
        await first.__aexit__(None, None, None)
    assert outbox.backlog().rows == 1, "the older connection's will is not published"
    assert endpoint.counts["quarantined"] == 0


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (f"patrol/v1/{C}/{U}/cmd", True),
        (f"patrol/v1/{C}/{U}/#", True),
        (f"patrol/v1/{C}/g/z-03/cmd", True),
        (f"patrol/v1/{C}/g/+/duty", True),
        (f"patrol/v1/{C}/{OTHER}/cmd", False),
        (f"patrol/v1/{C}/+/cmd", False),
        (f"patrol/v1/{C}/cp/k-07/cmd", False),
        (f"patrol/v1/{C}/#", False),
        ("patrol/v1/+/g/all/duty", False),
        ("#", False),
        ("$SYS/#", False),
    ],
)
def test_what_a_unit_may_hear(pattern: str, allowed: bool) -> None:
    assert UnitRights(C).may_subscribe(U, pattern) is allowed


def test_what_a_unit_may_say_is_its_own_rows_of_the_contract() -> None:
    rights = UnitRights(C)
    for name, row in MESSAGES.items():
        for county in (C, "c371600"):
            for unit in (U, OTHER):
                who = {"C": county, "U": unit, "K": "k-07", "G": "all", "S": "s", "B": "1"}
                own = row.sender == "unit" and county == C and unit == U
                assert rights.may_publish(U, topics.topic(name, **who)) is own


@pytest.mark.parametrize("name", ["cp", "g", "points", "all", "", "U-1", "a/b", "x" * 33])
def test_names_that_are_no_units(name: str) -> None:
    assert not UnitRights(C).is_unit(name)


def test_a_mad_unit_waits_and_a_quiet_one_does_not() -> None:
    bucket = Bucket(rate=10, burst=5, now=0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert bucket.take(10.0) == 0.0


async def test_a_disk_that_refuses_is_not_acknowledged(
    place: tuple[Path, UnitsEndpoint, Outbox],
) -> None:
    """3.1.1 has no word for it, so the connection ends and the unit keeps its record."""
    folder, endpoint, outbox = place

    def refuse(_: object) -> str:
        for work in _.works:  # type: ignore[attr-defined]
            work[1].set_exception(OSError("the disk is full"))
        return "the disk is full"

    async with client(folder, endpoint, U) as unit:
        outbox.recovery.apply = refuse  # type: ignore[method-assign]
        with pytest.raises(aiomqtt.MqttError):
            await unit.publish(topics.topic("unit_mark", C=C, U=U), mark(1), qos=1, timeout=3)
            await unit.subscribe(f"patrol/v1/{C}/{U}/cmd", timeout=3)
