"""Commands of any state, and of the not authenticated state: RFC 3501 sections 6.1 and 6.2."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import Any, Unpack

from imapkit.errors import ArgumentError, NoResponse, error
from imapkit.ext.rev1.arguments import upper_name
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Data,
    Done,
    Result,
    Secret,
    Session,
    State,
    Untagged,
    astring,
    atom,
    no_arguments,
    plain,
    quoted_string,
    shown,
)

__all__ = ["COMMANDS", "SessionCommands"]

Authenticator = Callable[[bytes], "bytes | str | None"]


class SessionCommands(Commands):
    """Capabilities, authentication, NOOP, LOGOUT, and responses that belong to no command."""

    _logout_timeout: float

    def authenticate(self, mechanism: str, authobject: Authenticator, **options: Unpack[CallOptions]) -> Result:
        """Authenticate by a SASL mechanism; RFC 3501 section 6.2.2; state: not authenticated.

        ``authobject(challenge)`` is called with each challenge, decoded, and returns the response (bytes or text, which is then
        encoded), or None to cancel. It runs on the caller's thread and may not send commands. Raises ``NoResponse`` if the
        server refuses. If ``authobject`` raises, that is raised once the server has acknowledged the cancellation.
        """
        # A traceback can show every local variable, and ``repr`` of this object may show a password.
        answers, authobject = Secret(authobject), _no_authenticator
        reply = _replier(answers)
        return self._call_with(options, "AUTHENTICATE", upper_name(mechanism), reply=reply, finish=self._admitted)

    def capability(self, **options: Unpack[CallOptions]) -> Result:
        """Ask for the server's capabilities; RFC 3501 section 6.1.1; any state. The data is one line of names."""
        return self._call("CAPABILITY", **options)

    def login(self, user: str | bytes, password: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Log in with a name and a password; RFC 3501 section 6.2.3; state: not authenticated.

        Raises ``NoResponse`` if the server refuses; ``error``, and sends nothing, if the server announces LOGINDISABLED.
        """
        # Before all else: a traceback can show every local variable.
        secret, password = Secret(password), ""
        if user is None or plain(secret) is None:
            # Elsewhere an argument that is None is left out.
            raise ArgumentError(f"LOGIN: no {'user' if user is None else 'password'}")
        if self._session.state is State.NONAUTH:
            # ``_unless_disabled`` needs them.
            self._known_capabilities()
        return self._call_with(options, "LOGIN", user, secret, finish=self._admitted)

    def login_cram_md5(self, user: str, password: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Log in by CRAM-MD5, RFC 2195; capability AUTH=CRAM-MD5; state: not authenticated. As ``authenticate``."""
        secret, password = Secret(password), ""
        name, key = _encoded("name", user), Secret(_encoded("password", secret))
        return self.authenticate("CRAM-MD5", lambda challenge: _cram_md5(name, key, challenge), **options)

    def logout(self, **options: Unpack[CallOptions]) -> Result:
        """End the session and the connection; RFC 3501 section 6.1.3; any state.

        Returns ``("BYE", [text])`` with the server's text, or ``("NO", [reason])`` if LOGOUT could not be sent or was not
        answered, once the connection's threads have ended. Raises no network error; may be called again, and from several
        threads.
        """
        if self._session.state is State.LOGOUT:
            self._hang_up("logout")
            return self._deliver(("NO", ["the connection is closed"]), **options)
        if options.get("timeout") is None:
            options["timeout"] = self._logout_timeout
        try:
            return self._call_with(options, "LOGOUT", finish=self._gone)
        except (error, OSError) as exc:
            self._hang_up("logout")
            return self._deliver(
                ("NO", [f"{type(exc).__name__}: {exc}"]), callback=options.get("callback"), cb_arg=options.get("cb_arg")
            )

    def noop(self, **options: Unpack[CallOptions]) -> Result:
        """Send NOOP, which gives the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
        return self._call("NOOP", **options)

    def recent(self, **options: Unpack[CallOptions]) -> Result:
        """The RECENT responses received so far, else those that the server sends for a NOOP; RFC 3501 section 7.3.2.

        The data is a list of counts, the newest last, or ``[None]``.
        """
        found = self._take("RECENT")
        if found:
            return self._deliver(("OK", Data(found, name="RECENT")), **options)

        def finish(request: Done) -> Result:
            return self._result(request)[0], Data(self._take("RECENT") or [None], name="RECENT")

        return self._call_with(options, "NOOP", finish=finish)

    def response(self, code: str, **options: Unpack[CallOptions]) -> Result:
        """Take the untagged responses, or response codes, called ``code`` that belonged to no command.

        Returns ``(code, [data, ...])``, or ``(code, [None])`` without any; ``parse`` distinguishes responses from codes. RFC
        3501 sections 7.1 to 7.4.
        """
        return self._deliver((code, self._take(upper_name(code)) or [None]), **options)

    def xatom(self, name: str, *args: Any, force: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Send a command that has no method, or one in a form that its method does not have; RFC 3501 section 6.5.1; any state.

        Returns the text of the tagged response; ``response(name)`` has the untagged responses. For a command that an installed
        family declares, it returns what that family's method returns and writes the arguments as that method does. A form of an
        extension is sent as given, when no other command is in flight: ``xatom("LIST", '""', '"*"', "RETURN (STATUS
        (UNSEEN))")``. That is a form with more arguments or fewer, or with a list in parentheses where the method takes none.
        ``force``: send also what the family refuses because it does harm (ENABLE of an extension that no family reads, RFC
        5161). Raises ``ArgumentError`` for an argument that is None, or that cannot be sent in a command line.
        """
        return self._call_with(options, upper_name(name), *args, generic=True, force=force)

    def pop_untagged_responses(self) -> Iterator[tuple[str, list[Any]]]:
        """Take, one after the other, the untagged responses that belonged to no command: ``(name, [data, ...])``; any state.

        RFC 3501 section 7: the data that servers send unasked. ``response(name)`` takes those of one name.
        """
        return self._take_all()

    def _admitted(self, request: Done) -> Result:
        result = self._result(request)
        if result[0] != "OK":
            raise NoResponse(shown(request.text, 1000), typ=request.typ, text=request.text)
        return result

    def _gone(self, request: Done) -> Result:
        self._hang_up("logout")
        farewell = [item for response in request.untagged if response.name == "BYE" for item in response.data()]
        return ("BYE", Data(farewell, name="BYE")) if farewell else (request.typ, Data([request.text], name=request.typ))


def _no_authenticator(challenge: bytes) -> None:
    """The placeholder for an authobject that is wrapped in a ``Secret``."""


def _encoded(what: str, value: str | bytes | Secret) -> bytes:
    """A name or a password as bytes, text in UTF-8. Raises ``ArgumentError``, without the value in it."""
    value = plain(value)
    try:
        if isinstance(value, (str, bytes)):
            return value.encode("utf-8") if isinstance(value, str) else value
        why = type(value).__name__
    except UnicodeEncodeError as exc:
        why = type(exc).__name__
    value = ""
    raise ArgumentError(f"AUTHENTICATE CRAM-MD5: the {what} cannot be encoded ({why})")


def _cram_md5(name: bytes, key: Secret, challenge: bytes) -> bytes:
    """``user SP digest``, RFC 2195 section 2."""
    import hmac

    try:
        return b"%b %b" % (name, hmac.new(plain(key), challenge, "md5").hexdigest().encode("ascii"))
    except Exception as exc:
        # Some systems have no MD5. The frames below hold the password, so the error below is raised outside this block.
        why = f"{type(exc).__name__}: {exc}"
    raise error(f"CRAM-MD5 cannot be computed here: {why}")


def _replier(answers: Secret) -> Callable[[bytes], bytes | None]:
    """``base64 = *(4base64-char) [base64-terminal]``, RFC 3501 section 9: decode the challenge, encode the response."""

    def reply(challenge: bytes) -> bytes | None:
        # Some servers send "+ go ahead", which is not base64, for an empty challenge.
        text = b"" if challenge.lower() == b"go ahead" else challenge
        try:
            decoded = binascii.a2b_base64(text, strict_mode=True) if text else b""
        except binascii.Error as exc:
            raise error(f"the server's challenge is not base64 ({exc}): {challenge[:40]!r}") from None
        answer = Secret(plain(answers)(decoded))
        return None if plain(answer) is None else _base64(answer)

    return reply


def _base64(answer: Secret) -> bytes:
    try:
        encoded = plain(answer).encode("utf-8") if isinstance(plain(answer), str) else bytes(plain(answer))
        return binascii.b2a_base64(encoded, newline=False)
    except (UnicodeEncodeError, TypeError, ValueError) as exc:
        why = type(exc).__name__
    # Raised outside the block, so that it has no cause and no context: those errors hold the text itself.
    raise ArgumentError(f"AUTHENTICATE: cannot send what authobject returned ({why}): it must be bytes, text or None")


def _logged_in(session: Session, request: Done) -> None:
    # RFC 3501 section 6.2.3: earlier capabilities are no longer valid; a CAPABILITY code in the OK is applied after this.
    if request.typ == "OK":
        session.forget_capabilities()
        session.enter(State.AUTH)


def _unless_disabled(session: Session, args: tuple[Any, ...]) -> None:
    # Also for xatom and for programs written for imaplib.
    if session.has("LOGINDISABLED"):
        raise error("LOGIN is disabled by the server (LOGINDISABLED); nothing was sent: use TLS, or authenticate()")


def apply_capability(session: Session, response: Untagged) -> None:
    """Store the capabilities of an untagged CAPABILITY response."""
    session.set_capabilities(session.names(response.text))


def apply_capability_code(session: Session, data: bytes | None) -> None:
    """Store the capabilities of a CAPABILITY response code."""
    session.set_capabilities(session.names(data or b""))


COMMANDS = (
    Command("AUTHENTICATE", State.NONAUTH, args=(atom,), exclusive=True, secret=True, done=_logged_in),
    Command("CAPABILITY", State.ANY, rest=no_arguments, result=("CAPABILITY",)),
    Command(
        "LOGIN",
        State.NONAUTH,
        args=(astring, quoted_string),
        exclusive=True,
        secret=True,
        before=_unless_disabled,
        done=_logged_in,
    ),
    Command("LOGOUT", State.ANY, rest=no_arguments, exclusive=True, result=("BYE",), ends=True),
    Command("NOOP", State.ANY, rest=no_arguments),
)
