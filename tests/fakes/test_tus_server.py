"""The tus server of the docks' tests is a real one, and can be made to fail."""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

from tests.fakes.tus_server import TusServer

HEAD = {"Tus-Resumable": "1.0.0"}


def put(server: TusServer, content: bytes) -> str:
    """By plain HTTP, as tus.io 1.0.0 describes it; the upload's URL."""
    create = Request(server.url, method="POST", headers={**HEAD, "Upload-Length": "5"})
    with urlopen(create) as answer:
        assert answer.status == 201
        url = answer.headers["Location"]
    kind = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    with urlopen(Request(url, content, {**HEAD, **kind}, method="PATCH")) as answer:
        assert answer.headers["Upload-Offset"] == str(len(content))
    return url


def test_it_keeps_what_it_took_over_a_kill_and_on_the_same_port(tmp_path: Path) -> None:
    with TusServer(tmp_path) as server:
        url = put(server, b"hel")
        server.stop()
        server.start()
        with urlopen(Request(url, method="HEAD", headers=HEAD)) as answer:
            assert answer.headers["Upload-Offset"] == "3"


def test_it_can_spoil_and_lose(tmp_path: Path) -> None:
    with TusServer(tmp_path) as server:
        put(server, b"hello")
        (before,) = server.digests()
        server.spoil()
        assert server.digests() != [before]
        server.lose()
        assert server.files() == []
