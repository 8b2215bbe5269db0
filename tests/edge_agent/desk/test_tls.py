"""The page beyond loopback: TLS with the checkpoint's certificate, and nothing before a log-in.

"127.1" is 127.0.0.1 to the sockets and no loopback address to DeskConfig: what is for others is
tested without letting others in.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect

from edge_agent import config
from edge_agent.desk import guard, server
from edge_agent.desk.config import DeskConfig
from edge_agent.desk.tls import names_of
from edge_agent.section import Address
from flashing import certs
from tests.edge_agent.desk.rig import LEAD, PIN, Rig, browser, opened

BEYOND = Address("127.1", 0)
SOS = "1" * 16


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    """As `flash.sh ca` issues them."""
    ca = certs.make_ca(tmp_path / "ids", "c371500")
    certs.issue(ca, "k-07", "checkpoint", ("localhost", "127.0.0.1"), tmp_path / "ids")
    certs.issue(ca, "k-08", "checkpoint", (), tmp_path / "ids")
    return tmp_path / "ids"


def rig_with(tmp_path: Path, ids: Path, name: str = "k-07") -> Rig:
    return Rig(
        tmp_path,
        listen=BEYOND,
        kiosk=Address("127.0.0.1", 0),
        cert=ids / f"{name}.cert.pem",
        key=ids / "k-07.key.pem",
    )


@pytest.fixture
async def rig(tmp_path: Path, ids: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    for module in (guard, server):  # who comes by TLS comes from elsewhere
        monkeypatch.setattr(module, "at_the_machine", lambda request: request.url.scheme == "http")
    async with rig_with(tmp_path, ids) as made:
        await made.people()
        yield made


def trusting(ids: Path) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ids / "ca.cert.pem"))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_the_certificate_is_the_checkpoints_and_is_verified(rig: Rig, ids: Path) -> None:
    url = f"https://localhost:{rig.desk.tls_port}"
    async with aiohttp.ClientSession(connector=trusting(ids)) as http:
        async with http.get(url) as answer:
            assert answer.status == 200
            assert "max-age=" in answer.headers["Strict-Transport-Security"]
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        async with http.get(url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 400
    async with aiohttp.ClientSession() as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.get(url)
        with pytest.raises(aiohttp.ClientError):
            await stranger.get(url.replace("https", "http"))
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(aiohttp.ClientConnectorError):
            await stranger.get(url, ssl=old)
        async with stranger.get(rig.url) as kiosk:  # the machine's own screen needs no TLS
            assert kiosk.status == 200 and "Strict-Transport-Security" not in kiosk.headers


async def test_a_stranger_learns_nothing_and_may_log_in(rig: Rig, ids: Path) -> None:
    url = f"https://127.0.0.1:{rig.desk.tls_port}"
    rig.board.put("fault", "x", {"why": "y"})
    async with aiohttp.ClientSession(
        connector=trusting(ids), cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as http:
        async with http.get(f"{url}/about.json") as answer:
            assert set(await answer.json()) == {"elsewhere", "now"}
        for path in ("state.json", "events", "tracks.json", "log.json", "sheet.json"):
            async with http.get(f"{url}/{path}") as answer:
                assert answer.status == 401, path
        sent = {"Origin": url, "Content-Type": "application/json"}

        async def press(action: str, body: object) -> tuple[int, str]:
            async with http.post(f"{url}/do/{action}", json=body, headers=sent) as answer:
                return answer.status, answer.headers.get("Set-Cookie", "")

        code = {"code": "00000000", "name": "x", "pin": PIN}
        for action, body in (
            ("setup", code), ("mute", {"who": LEAD}), ("seen", {"sos": SOS, "going": True}),
        ):  # fmt: skip
            assert (await press(action, body))[0] == 401, action
        assert (await press("login", {"name": LEAD, "pin": "000001"}))[0] == 403
        status, cookie = await press("login", {"name": LEAD, "pin": PIN})
        assert status == 200 and "; Secure" in cookie and "HttpOnly" in cookie
        async with http.get(f"{url}/state.json") as answer:
            assert json.loads(await answer.text())["fault"]


async def test_in_a_browser_from_elsewhere(rig: Rig) -> None:
    async with browser() as chromium:
        context = await chromium.new_context(ignore_https_errors=True)
        page = await opened(context, f"https://127.0.0.1:{rig.desk.tls_port}")
        assert LEAD not in await page.inner_text("body")
        assert "十里铺" not in await page.inner_text("body")
        await page.fill("#name", LEAD)
        await page.fill("#login-pin", PIN)
        await page.click(".login button.big")
        await page.wait_for_selector("#nav button")
        await rig.raise_sos("u-0001", SOS)
        await expect(page.locator("article.sos")).to_contain_text("u-0001")
        await page.get_by_text("退出").click()
        await page.wait_for_selector("#login-pin")
        assert "u-0001" not in await page.inner_text("body")


async def test_a_certificate_that_does_not_fit_leaves_the_kiosk(tmp_path: Path, ids: Path) -> None:
    async with rig_with(tmp_path, ids, "k-08") as rig:
        assert rig.desk.tls_port == rig.desk.port
        why = rig.board.get("fault", "desk-tls")["why"]
        assert "k-08.cert.pem" in why and "put back" in why
        async with aiohttp.ClientSession() as http, http.get(f"{rig.url}/state.json") as answer:
            assert answer.status == 200


def test_names_come_from_the_certificate(ids: Path) -> None:
    assert names_of(ids / "k-07.cert.pem") == ["localhost", "127.0.0.1"]
    with pytest.raises(ValueError, match=r"names no host"):
        names_of(ids / "k-08.cert.pem")


def test_beyond_loopback_is_refused_without_tls() -> None:
    with pytest.raises(ValueError, match="needs TLS"):
        DeskConfig(listen=Address("0.0.0.0", 8443))
    with pytest.raises(ValueError, match="must be loopback"):
        DeskConfig(kiosk=Address("0.0.0.0", 8080))
    assert not DeskConfig(listen=Address("::1", 1)).beyond


AGENT = """\
[checkpoint]
id = "k-07"
county = "c371500"
data_dir = "data"

[desk]
listen = "0.0.0.0:8443"
"""
UNITS = """
[units]
ca = "ids/ca.cert.pem"
cert = "ids/k-07.cert.pem"
key = "ids/k-07.key.pem"
"""


def test_the_agents_own_certificate_is_taken(tmp_path: Path, ids: Path) -> None:
    toml = tmp_path / "agent.toml"
    toml.write_text(AGENT)
    with pytest.raises(config.ConfigError, match=r"agent\.toml:6: .*TLS"):
        config.load(toml)
    toml.write_text(AGENT + UNITS)
    desk = config.load(toml).desk
    assert desk.beyond and desk.cert == ids / "k-07.cert.pem" and desk.key == ids / "k-07.key.pem"
