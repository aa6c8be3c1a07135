"""Scripts about the connection itself: greeting, login, errors, logout."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.compat.book import ANNOUNCED, Book, begin, filled
from tests.compat.recorder import PASSWORD, Recorder

SCRIPTS = Book()


@SCRIPTS.script()
def constructor(run: Recorder) -> None:
    """Every argument of IMAP4, and what is there when it returns."""
    with (Path(run.on.directory) / f"debug-{run.library}-{run.on.server}").open("w+") as file:
        run.connect("IMAP4", run.on.host, run.on.port, 4, file, "mine", 15, 5)
        client = run.client
        run.look("host", lambda: (client.host, client.port == run.on.port, client.identifier, client.debug))
        run.look("threads", lambda: any(thread.name.startswith("mine") for thread in threading.enumerate()))
        run.look("welcome", lambda: client.welcome[:5])
        run.look("version", lambda: client.PROTOCOL_VERSION)
        run.but(*ANNOUNCED).look("capabilities", lambda: sorted(client.capabilities))
        run.look("sock", lambda: (client.sock is client.socket(), client.read_fd == client.sock.fileno()))
        run.look("Terminate", lambda: client.Terminate)
        run.noop()
        run.logout()
        run.look("Terminate at the end", lambda: client.Terminate)
        file.seek(0)
        run.look("debug output", lambda: "NOOP" in file.read())


@SCRIPTS.script()
def constructor_by_name(run: Recorder) -> None:
    """The same by keyword, and the errors of the network."""
    run.connect("IMAP4", host=run.on.host, port=run.on.port, debug=0, debug_file=None, identifier="", timeout=15, debug_buf_lvl=3)
    run.look("identifier", lambda: run.client.identifier)
    run.logout()
    run.but("connect-errors").connect("IMAP4", "127.0.0.1", 1, timeout=5)
    run.but("connect-errors").connect("IMAP4", "no-such-host.invalid", 143, timeout=5)


@SCRIPTS.script()
def with_block(run: Recorder) -> None:
    """A client is a context manager; methods also go by upper case; the classes of errors hang on it."""
    run.connect(timeout=15)
    with run.client:
        run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
        run.NOOP()
        run.LIST('""', "INBOX")
        run.look("no such method", lambda: run.client.FROBNICATE)
        run.look("no such attribute", lambda: run.client.frobnicate)
        client = run.client
        run.look("errors", lambda: [issubclass(client.abort, client.error), issubclass(client.readonly, client.abort)])
    run.look("state", lambda: run.client.state)


@SCRIPTS.script(stdlib=True)
def login_refused(run: Recorder) -> None:
    """NO to LOGIN is an error, and the connection lives."""
    run.connect(timeout=15)
    run.login(run.on.user, "wrong")
    run.noop()
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.noop()
    run.logout()


@SCRIPTS.script(stdlib=True)
def authenticate(run: Recorder) -> None:
    """PLAIN by bytes, refused and taken."""
    run.connect(timeout=15)
    given: list[Any] = []

    def plain(challenge: bytes) -> bytes:
        given.append(challenge)
        return b"\0" + run.on.user.encode() + b"\0" + PASSWORD.encode()

    run.authenticate("PLAIN", lambda challenge: b"\0nobody\0wrong")
    run.noop()
    run.but(*ANNOUNCED).authenticate("PLAIN", plain)
    run.look("challenges", lambda: given)
    run.noop()
    run.logout()


@SCRIPTS.script()
def authenticate_otherwise(run: Recorder) -> None:
    """Lower case, text, a long answer, a cancelled exchange, an unknown mechanism."""
    run.connect(timeout=15)
    run.authenticate("PLAIN", lambda challenge: None)
    run.authenticate("NONESUCH", lambda challenge: b"")
    run.authenticate("PLAIN", lambda challenge: "\0" + "x" * 200 + "\0wrong")
    run.but(*ANNOUNCED).authenticate("plain", lambda challenge: f"\0{run.on.user}\0{PASSWORD}")
    run.noop()


@SCRIPTS.script(stdlib=True)
def login_cram_md5(run: Recorder) -> None:
    """CRAM-MD5, which needs a challenge."""
    run.connect(timeout=15)
    run.login_cram_md5(run.on.user, "wrong")
    run.but(*ANNOUNCED).login_cram_md5(run.on.user, PASSWORD)
    run.noop()


@SCRIPTS.script(stdlib=True)
def awkward_password(run: Recorder) -> None:
    """Quotes, spaces, backslashes and what looks like a literal."""
    run.connect(timeout=15)
    user = "awkward" if run.on.server == "cyrus" else "user@example.com"
    run.but(*ANNOUNCED).login(user, 'p"w\\d {5} x')
    run.noop()


@SCRIPTS.script()
def logging_in_with_a_callback(run: Recorder) -> None:
    """LOGIN and AUTHENTICATE call back as well."""
    run.connect(timeout=15)
    run.but("callbacks-everywhere").called_back("login", run.on.user, "wrong")
    run.but("callbacks-everywhere").called_back("login", run.on.user, PASSWORD)
    run.noop()
    run.connect(timeout=15)
    run.but("callbacks-everywhere").called_back("login_cram_md5", run.on.user, PASSWORD)
    run.connect(timeout=15)
    run.but("callbacks-everywhere").called_back("authenticate", "PLAIN", lambda challenge: f"\0{run.on.user}\0{PASSWORD}")
    run.noop()


@SCRIPTS.script(stdlib=True)
def capability(run: Recorder) -> None:
    """CAPABILITY before and after login."""
    run.connect(timeout=15)
    run.capability()
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.but("attribution", "attribution-imaplib").capability()
    run.noop()


@SCRIPTS.script()
def capabilities(run: Recorder) -> None:
    """The attribute follows what the server announces."""
    run.connect(timeout=15)
    run.look("before", lambda: "STARTTLS" in run.client.capabilities)
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.but("capabilities").look("after", lambda: "QUOTA" in run.client.capabilities)
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script(stdlib=True)
def states(run: Recorder) -> None:
    """Commands that are not valid where they are given are errors, and nothing else."""
    run.connect(timeout=15)
    run.select()
    run.fetch("1", "(UID)")
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.fetch("1", "(UID)")
    run.search(None, "ALL")
    run.check()
    run.expunge()
    run.copy("1", "INBOX")
    run.store("1", "+FLAGS", r"(\Seen)")
    run.uid("SEARCH", "ALL")
    run.noop()
    run.logout()


@SCRIPTS.script()
def states_of_others(run: Recorder) -> None:
    """The same for what imaplib does otherwise, or lacks."""
    run.connect(timeout=15)
    run.append("INBOX", None, None, b"x")
    run.list()
    run.status("INBOX", "(MESSAGES)")
    run.close()
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.close()
    run.partial("1", "RFC822", "0", "10")
    run.sort("(SUBJECT)", "UTF-8", "ALL")
    run.thread("REFERENCES", "UTF-8", "ALL")
    run.authenticate("PLAIN", lambda challenge: b"")
    run.noop()


@SCRIPTS.script()
def unknown_commands(run: Recorder) -> None:
    """xatom, with a command that the server has and with one that it has not; BAD is an error."""
    begin(run)
    run.xatom("NOOP")
    run.xatom("XNONESUCH", "one", "two")
    run.noop()
    run.but("xatom-known").xatom("status", "INBOX", "(MESSAGES)")
    run.but("xatom-known").response("STATUS")
    run.xatom("UNSELECT")
    run.select()
    run.but("xatom-state").xatom("UNSELECT")


@SCRIPTS.script()
def unknown_uid_commands(run: Recorder) -> None:
    """What UID is sent with is the server's business."""
    filled(run, "uidunknown", 1)
    run.uid("XNONESUCH", "1")
    run.but("uid-results").uid("EXPUNGE", "1:*")
    run.noop()


@SCRIPTS.script(stdlib=True)
def after_logout(run: Recorder) -> None:
    """After LOGOUT no command is valid."""
    begin(run)
    run.logout()
    run.but("after-logout", "after-logout-imaplib").noop()
    run.but("after-logout-imaplib").select()


@SCRIPTS.script()
def logout_twice(run: Recorder) -> None:
    """A second logout, and one with a callback."""
    begin(run)
    run.logout()
    run.but("logout-twice").logout()
    begin(run)
    run.but("callbacks-everywhere").called_back("logout")


@SCRIPTS.script()
def the_server_hangs_up(run: Recorder) -> None:
    """A connection that is gone: abort for everything that follows."""
    begin(run)
    import socket

    run.look("shutdown", lambda: run.client.sock.shutdown(socket.SHUT_RDWR))
    run.noop()
    run.list()
    run.but("logout-text").logout()


@SCRIPTS.script()
def tls(run: Recorder) -> None:
    """IMAP4_SSL with an authority, with one that does not fit, and with the program's own check."""
    asked: list[Any] = []

    def fine(certificate: Any, host: str) -> None:
        asked.append((sorted(certificate), host))

    def refused(certificate: Any, host: str) -> str:
        return "not this one"

    where = ("localhost", run.on.tls_port)
    ways: list[dict[str, Any]] = [{}, {"cert_verify_cb": fine}, {"ssl_version": "ssl23", "tls_level": "tls_compat"}]
    ways.append({"ssl_version": "tls1_2", "tls_level": "tls_secure"})
    for options in ways:
        run.connect("IMAP4_SSL", *where, ca_certs=run.on.cafile, timeout=15, **options)
        run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
        run.look("ssl", lambda: (run.client.ssl() is run.client.sock, run.client.ssl().getpeercert() is not None))
        run.logout()
    run.look("asked", lambda: asked)
    run.but("tls-errors").connect("IMAP4_SSL", *where, ca_certs=run.on.other_cafile, timeout=5)
    run.but("tls-errors").connect("IMAP4_SSL", *where, ca_certs=run.on.cafile, cert_verify_cb=refused, timeout=5)
    run.but("verified").connect("IMAP4_SSL", *where, timeout=15)
    run.but("tls-versions").connect("IMAP4_SSL", *where, ca_certs=run.on.cafile, ssl_version="ssl3", timeout=5)


@SCRIPTS.script()
def unverified_tls(run: Recorder) -> None:
    """A program's own check, and no authority: imaplib2 verifies nothing then."""
    run.but("verified").connect("IMAP4_SSL", "localhost", run.on.tls_port, cert_verify_cb=lambda cert, host: None, timeout=15)


@SCRIPTS.script()
def starttls(run: Recorder) -> None:
    """STARTTLS with an authority, and twice. Not with TLS 1.3: imaplib2 enters OpenSSL with two threads, and stalls by chance."""
    run.connect("IMAP4", "localhost", run.on.port, timeout=15)
    run.but("starttls-data").starttls(None, None, run.on.cafile, None, "tls1_2", "tls_secure")
    run.look("STARTTLS in capabilities", lambda: "STARTTLS" in run.client.capabilities)
    run.starttls(ca_certs=run.on.cafile)
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.noop()
    run.logout()


@SCRIPTS.script()
def starttls_fails(run: Recorder) -> None:
    """A certificate of another authority."""
    run.connect("IMAP4", "localhost", run.on.port, timeout=5)
    run.but("tls-errors").starttls(ca_certs=run.on.other_cafile)
    run.connect("IMAP4", "localhost", run.on.port, timeout=5)
    run.but("verified").starttls(ssl_version="tls1_2")
    begin(run)
    run.but("starttls-state", patience=2).starttls(ca_certs=run.on.cafile)


@SCRIPTS.script("dovecot")
def stream(run: Recorder) -> None:
    """IMAP4_stream: a command that greets with PREAUTH."""
    run.connect("IMAP4_stream", run.on.stream, None, None, "mine", 15)
    run.look("host", lambda: (run.client.host == run.client.command, run.client.port, run.client.sock))
    run.noop()
    run.list('""', "INBOX")
    run.logout()


@SCRIPTS.script()
def overridden(run: Recorder) -> None:
    """A subclass with a socket of its own, which sees all bytes."""
    import socket

    seen: dict[str, bytearray] = {"read": bytearray(), "sent": bytearray()}
    called: list[str] = []

    class Tapped(run.module.IMAP4):  # type: ignore[name-defined, misc]
        def open(self, host: Any = None, port: Any = None) -> None:
            called.append("open")
            super().open(host, port)

        def open_socket(self) -> Any:
            called.append("open_socket")
            return socket.create_connection((self.host, self.port))

        def read(self, size: int) -> bytes:
            data: bytes = self.sock.recv(size)
            seen["read"] += data
            return data

        def send(self, data: bytes) -> None:
            seen["sent"] += data
            self.sock.sendall(data)

        def shutdown(self) -> None:
            called.append("shutdown")
            super().shutdown()

    run.connect_by("Tapped", lambda: Tapped(run.on.host, run.on.port, timeout=15))
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.select()
    run.look("seen", lambda: (b"LOGIN" in seen["sent"], b"SELECT INBOX" in seen["sent"], seen["read"][:5]))
    run.logout()
    run.look("called", lambda: called)


@SCRIPTS.script()
def overridden_tls(run: Recorder) -> None:
    """A subclass that puts TLS on its socket itself."""
    import ssl

    wrapped: list[str] = []

    class Wrapped(run.module.IMAP4_SSL):  # type: ignore[name-defined, misc]
        def ssl_wrap_socket(self) -> None:
            context = ssl.create_default_context(cafile=self.ca_certs)
            self.sock: Any = context.wrap_socket(self.sock, server_hostname=self.host)
            self.read_fd = self.sock.fileno()
            wrapped.append(self.host)

    where = ("localhost", run.on.tls_port)
    run.connect_by("Wrapped", lambda: Wrapped(*where, ca_certs=run.on.cafile, timeout=15))
    run.look("wrapped", lambda: (wrapped, type(run.client.sock).__name__))
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.select()
    run.logout()


@SCRIPTS.script()
def compression(run: Recorder) -> None:
    """COMPRESS=DEFLATE, on a plain connection and on TLS."""
    for cls, where in (("IMAP4", (run.on.host, run.on.port)), ("IMAP4_SSL", ("localhost", run.on.tls_port))):
        options = {"ca_certs": run.on.cafile} if cls == "IMAP4_SSL" else {}
        run.connect(cls, *where, timeout=15, **options)
        run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
        run.but("compression-data").enable_compression()
        run.noop()
        run.list('""', "INBOX")
        run.select()
        run.logout()


@SCRIPTS.script()
def enable(run: Recorder) -> None:
    """ENABLE, after which imaplib2 never sends a synchronous command again."""
    begin(run)
    run.but("enable-known").enable("CONDSTORE")
    run.connect(timeout=15)
    run.enable("UTF8=ACCEPT")
    begin(run)
    run.enable("UTF8=ACCEPT")
    run.but("enable-returns", patience=2).select()


@SCRIPTS.script()
def identity(run: Recorder) -> None:
    """ID with nothing, with one formatted string, with pairs."""
    run.connect(timeout=15)
    run.id()
    run.id('("name" "me" "version" NIL)')
    run.id("name", "me", "version", "1.0")
    run.id("name", 'a "quoted" \\ one', "os", None)
    run.id("NIL")
    run.called_back("id", "name", "me")
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.id("name", "me")
    run.id("(")
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script(stdlib=True)
def namespace(run: Recorder) -> None:
    """NAMESPACE, when it is valid and when not."""
    run.connect(timeout=15)
    run.namespace()
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.namespace()
    run.called_back("namespace")
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script(stdlib=True)
def proxyauth(run: Recorder) -> None:
    """PROXYAUTH, which neither server has."""
    run.connect(timeout=15)
    run.proxyauth("bob")
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.proxyauth("bob")
    run.noop()
