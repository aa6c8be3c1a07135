"""``import imaplib`` gives imapkit: put the directory of this file on PYTHONPATH, which comes before the standard library.

Programs run on it that use what imaplib documents: methods, and ``open`` in a subclass. Those that build commands with
imaplib's private functions (``_command``, ``_get_response``, ``file``) do not.
"""

from __future__ import annotations

import ssl
from typing import Any

import imapkit
from imapkit import IMAP4_stream as _IMAP4_stream
from imapkit.compat import (
    CRLF,
    IMAP4_PORT,
    IMAP4_SSL_PORT,
    AllowedVersions,
    Int2AP,
    InternalDate,
    Internaldate2tuple,
    Mon2num,
    ParseFlags,
    Time2Internaldate,
)

__all__ = [
    "CRLF",
    "IMAP4",
    "IMAP4_PORT",
    "IMAP4_SSL",
    "IMAP4_SSL_PORT",
    "AllowedVersions",
    "Commands",
    "Debug",
    "IMAP4_stream",
    "Int2AP",
    "InternalDate",
    "Internaldate2tuple",
    "Mon2num",
    "ParseFlags",
    "Time2Internaldate",
]

__version__ = f"2.60 (imapkit {imapkit.__version__})"

Debug = 0

# Programs write into it to allow themselves more commands, so it is theirs; nothing looks at it.
Commands = {name: states for name, (states, _parallel) in imapkit.Commands.items()}


class IMAP4(imapkit.IMAP4):
    """imapkit's, with imaplib's arguments."""

    def __init__(self, host: str = "", port: int = IMAP4_PORT, timeout: float | None = None) -> None:
        super().__init__(host, port, debug=Debug, timeout=timeout)


class IMAP4_SSL(imapkit.IMAP4_SSL):
    """imapkit's, with imaplib's arguments. Unlike imaplib's it verifies the server, unless an ``ssl_context`` says otherwise."""

    def __init__(
        self,
        host: str = "",
        port: int = IMAP4_SSL_PORT,
        keyfile: str | None = None,
        certfile: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float | None = None,
    ) -> None:
        # imaplib has no such attribute, so a subclass may have one, which its own open() looks at.
        own: dict[str, Any] = {name: getattr(self, name, None) for name in ("ca_certs", "ssl_version")}
        super().__init__(host, port, keyfile, certfile, **own, debug=Debug, timeout=timeout, ssl_context=ssl_context)


class IMAP4_stream(_IMAP4_stream):
    """imapkit's, with imaplib's arguments."""

    def __init__(self, command: str) -> None:
        super().__init__(command, debug=Debug)
