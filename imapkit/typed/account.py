"""An account: where the server is, and how to log in. It is a value: it holds no connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from imapkit.client import IMAP4, IMAP4_SSL
from imapkit.core.support.limits import Limits
from imapkit.core.support.secrets import Secret, plain
from imapkit.errors import ArgumentError, NoResponse
from imapkit.typed.client import AsyncClient, Client

if TYPE_CHECKING:
    import ssl

__all__ = ["Account", "Auth", "OAuth2", "Password", "Tls", "connect", "connect_async"]

Tls: TypeAlias = Literal["implicit", "starttls", "none"]
"""TLS from the first byte (port 993), TLS by STARTTLS (port 143), or none (port 143). What is asked for is never lowered."""


class Auth(Protocol):
    """A way to log in."""

    def log_in(self, raw: IMAP4, /) -> object:
        """Log in on a new connection. Raises ``NoResponse`` if the server refuses."""


class Password:
    """Log in with a name and a password; RFC 3501 section 6.2.3."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self._password = user, Secret(password)

    def log_in(self, raw: IMAP4) -> None:
        """See ``Auth.log_in``."""
        raw.login(self.user, plain(self._password))

    def __repr__(self) -> str:
        return f"Password({self.user!r}, ***)"


class OAuth2:
    """Log in with an OAuth 2 access token: OAUTHBEARER (RFC 7628) if the server has it, else XOAUTH2.

    ``get_token(rejected)`` returns the token, on the thread that connects. It is called before each login: first with None, and
    once more with the token that the server has just refused, so that it can be renewed.
    """

    def __init__(self, user: str, get_token: Callable[[str | None], str]) -> None:
        self.user, self._get_token = user, get_token

    def log_in(self, raw: IMAP4) -> None:
        """See ``Auth.log_in``."""
        token = Secret(self._get_token(None))
        try:
            self._try(raw, token)
        except NoResponse:
            again = Secret(self._get_token(plain(token)))
            if plain(again) == plain(token):
                raise
            self._try(raw, again)

    def _try(self, raw: IMAP4, token: Secret) -> None:
        bearer = "AUTH=OAUTHBEARER" in raw.capabilities
        # The server tells the reason of a refusal in a challenge; the answer ends the exchange: RFC 7628 section 3.2.3.
        said = iter((self._bearer(raw, token), b"\x01") if bearer else (self._xoauth2(token), b""))
        raw.authenticate("OAUTHBEARER" if bearer else "XOAUTH2", lambda challenge: next(said, None))

    def _xoauth2(self, token: Secret) -> bytes:
        return f"user={self.user}\x01auth=Bearer {plain(token)}\x01\x01".encode()

    def _bearer(self, raw: IMAP4, token: Secret) -> bytes:
        user = self.user.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={user},\x01host={raw.host}\x01port={raw.port}\x01auth=Bearer {plain(token)}\x01\x01".encode()

    def __repr__(self) -> str:
        return f"OAuth2({self.user!r}, ...)"


class Account:
    """Where a server is, and how to log in.

    ``tls``
        see ``Tls``; what the server offers never lowers it.
    ``port``
        0: 993 with "implicit", else 143.
    ``timeout``
        seconds in which the connection must be made, and in which a command must make progress.
    ``ssl_context``
        in place of the default one, which checks the server's certificate and name.
    ``families``, ``limits``
        as for ``IMAP4``.
    """

    def __init__(
        self,
        host: str,
        auth: Auth,
        *,
        port: int = 0,
        tls: Tls = "implicit",
        timeout: float | None = None,
        ssl_context: ssl.SSLContext | None = None,
        families: Sequence[object] | None = None,
        limits: Limits | None = None,
    ) -> None:
        if tls not in ("implicit", "starttls", "none"):
            raise ArgumentError(f"tls is 'implicit', 'starttls' or 'none', not {tls!r}")
        if tls == "none" and ssl_context is not None:
            raise ArgumentError("ssl_context without TLS: write tls='implicit' or tls='starttls', or leave it out")
        self.host, self.auth, self.port, self.tls = host, auth, port or (993 if tls == "implicit" else 143), tls
        self._ssl_context = ssl_context
        self._options: dict[str, Any] = {"timeout": timeout, "families": families, "limits": limits}

    def connect(self) -> Client:
        """Connect and log in. Raises ``ConnectError``, ``TLSError``, or ``NoResponse`` if the server refuses the login."""
        return Client.over(self._open())

    async def connect_async(self) -> AsyncClient:
        """The same for asyncio; another thread connects."""
        import asyncio

        opening = _Opening(self._open)
        try:
            await asyncio.get_running_loop().run_in_executor(None, opening.run)
            return AsyncClient.over(opening.take())
        except BaseException:
            # The thread goes on, perhaps longer than the loop: it closes what it opens.
            opening.unwanted = True
            opening.discard()
            raise

    def _open(self) -> IMAP4:
        raw = self._opened()
        try:
            if raw.state == "NONAUTH":
                self.auth.log_in(raw)
            # From now on no command has to ask for them first.
            raw._known_capabilities()
        except BaseException:
            raw._give_up()
            raise
        return raw

    def _opened(self) -> IMAP4:
        if self.tls == "implicit":
            if self._ssl_context is not None:
                return IMAP4_SSL(self.host, self.port, ssl_context=self._ssl_context, **self._options)
            return IMAP4_SSL(self.host, self.port, ssl_context=_verifying(), **self._options)
        raw = IMAP4(self.host, self.port, **self._options)
        if self.tls == "starttls":
            try:
                typ, data = raw.starttls(ssl_context=self._ssl_context or _verifying())
                if typ != "OK":
                    raise NoResponse(f"STARTTLS: the server refuses: {data[0]!r}", typ=typ, command="STARTTLS")
            except BaseException:
                raw._give_up()
                raise
        return raw

    def __repr__(self) -> str:
        return f"Account({self.host!r}, {self.auth!r}, port={self.port}, tls={self.tls!r})"


class _Opening:
    """A connection that is opened on another thread, and closed there if the task that asked for it was cancelled."""

    def __init__(self, open_it: Callable[[], IMAP4]) -> None:
        self._open_it = open_it
        self._opened: list[IMAP4] = []
        self.unwanted = False

    def run(self) -> None:
        """Open the connection."""
        self._opened.append(self._open_it())
        # In this order: ``unwanted`` is set before ``discard`` is called.
        if self.unwanted:
            self.discard()

    def take(self) -> IMAP4:
        """The connection."""
        return self._opened.pop()

    def discard(self) -> None:
        """Close the connection, if it has been opened, and neither taken nor closed."""
        try:
            raw = self._opened.pop()
        except IndexError:
            return
        raw._give_up()


def _verifying() -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context()


def connect(
    host: str,
    user: str,
    password: str,
    *,
    port: int = 0,
    tls: Tls = "implicit",
    timeout: float | None = None,
    ssl_context: ssl.SSLContext | None = None,
    families: Sequence[object] | None = None,
    limits: Limits | None = None,
) -> Client:
    """Connect over TLS, and log in; see ``Account`` for the options.

    ``with imapkit.connect("imap.example.org", "ada", "secret") as client: ...``
    """
    auth = Password(user, password)
    account = Account(host, auth, port=port, tls=tls, timeout=timeout, ssl_context=ssl_context, families=families, limits=limits)
    return account.connect()


async def connect_async(
    host: str,
    user: str,
    password: str,
    *,
    port: int = 0,
    tls: Tls = "implicit",
    timeout: float | None = None,  # noqa: ASYNC109 (it is for all commands of the connection)
    ssl_context: ssl.SSLContext | None = None,
    families: Sequence[object] | None = None,
    limits: Limits | None = None,
) -> AsyncClient:
    """The same for asyncio."""
    auth = Password(user, password)
    account = Account(host, auth, port=port, tls=tls, timeout=timeout, ssl_context=ssl_context, families=families, limits=limits)
    return await account.connect_async()
