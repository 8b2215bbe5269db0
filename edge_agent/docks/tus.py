"""tuspy with one connection for all requests of an upload, and the county's own CA.

tuspy opens a connection per request (a TLS handshake per 4 KB on a bad link) and checks uploads
against the system's CAs only. It also imports aiohttp, 10 MB for an asynchronous uploader that is
not used here, so that is loaded late: when something of it is touched, which nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from edge_agent.docks.config import Upload
from edge_agent.docks.late import late

with late("aiohttp"):
    from tusclient.client import TusClient
    from tusclient.exceptions import TusUploadFailed
    from tusclient.request import TusRequest
    from tusclient.uploader.uploader import Uploader

REQUEST_S = (10.0, 60.0)  # connect, read


class _Kept(Uploader):
    """An Uploader whose PATCH goes through `session`."""

    session: requests.Session

    def _do_request(self) -> None:
        self.request = TusRequest(self)
        with self.request.file as source:
            chunk = source.read(self.get_request_length())
        answer = self.session.patch(
            self.url or "",
            data=chunk,
            headers={
                **self.get_headers(),
                "Upload-Offset": str(self.offset),
                "Content-Type": "application/offset+octet-stream",
            },
            timeout=REQUEST_S,
        )
        if not answer.ok:
            raise TusUploadFailed("upload refused", answer.status_code, answer.content)
        self.request.response_headers = {k.lower(): v for k, v in answer.headers.items()}


def uploader(config: Upload, path: Path, url: str | None, metadata: Mapping[str, str]) -> Uploader:
    """At the server's offset when `url` is a begun upload (one HEAD request)."""
    pair = (str(config.cert), str(config.key)) if config.cert and config.key else None
    verify: Any = str(config.ca) if config.ca else True
    made = _Kept(
        file_path=str(path),
        url=url,
        client=TusClient(config.url, client_cert=pair),
        metadata=dict(metadata),
        verify_tls_cert=verify,
    )
    made.session = requests.Session()
    made.session.verify, made.session.cert = verify, pair
    return made
