"""Through a SOCKS proxy, by a subclass whose ``open_socket`` returns PySocks' socket: plain, TLS and STARTTLS, all compressed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import imapkit
from tests.live.support import SECONDS, letter, needing, place
from tests.servers.base import Server
from tests.servers.socks import running

pytestmark = pytest.mark.live

socks: Any = import_module("socks")


@pytest.fixture(scope="module")
def proxy() -> Iterator[tuple[str, int]]:
    """Where a proxy listens."""
    with running() as where:
        yield where


def through(base: Any, proxy: tuple[str, int]) -> Any:
    """A client class whose connections go through the proxy, which looks the name up."""

    class Proxied(base):  # type: ignore[misc]
        def open_socket(self) -> Any:
            sock = socks.socksocket()
            sock.set_proxy(socks.SOCKS5, *proxy)
            sock.connect((self.host, self.port))
            return sock

    return Proxied


@pytest.mark.parametrize("way", ["plain", "tls", "starttls"])
def test_through_a_proxy(secured: Server, proxy: tuple[str, int], way: str) -> None:
    needing(secured, "COMPRESS=DEFLATE")
    body = "0123456789abcdef\r\n" * 20_000
    tls = {"ca_certs": secured.cafile} if way == "tls" else {}
    base, port = (imapkit.IMAP4_SSL, secured.tls_port) if way == "tls" else (imapkit.IMAP4, secured.port)
    with through(base, proxy)("localhost", port, timeout=SECONDS, **tls) as imap:
        assert isinstance(imap.sock._sock if way == "tls" else imap.sock, socks.socksocket)
        if way == "starttls":
            assert imap.starttls(ca_certs=secured.cafile)[0] == "OK"
        assert imap.login("tester", secured.users["tester"])[0] == "OK"
        assert imap.enable_compression()[0] == "OK"
        box = place(secured, f"socks-{way}")
        assert imap.create(box)[0] == "OK"
        assert imap.append(box, None, None, letter("far away", body))[0] == "OK"
        assert imap.select(box) == ("OK", [b"1"])
        assert body.encode() in imap.fetch("1", "BODY.PEEK[]")[1][0][1]
        assert imap.idle(timeout=0.05)[0] == "OK"
        assert imap.response("IDLE") == ("IDLE", [b"TIMEOUT"])
