"""pymap in a thread of this process, for :mod:`imapkit.cli.mailhost`. No other module imports pymap."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from argparse import Namespace
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from uuid import uuid4

from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo, SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.creds.plain import PlainCredentials
from pysasl.hashing import BuiltinHash

HOST = "127.0.0.1"
LINE_LIMIT = 8 * 2**20
"""Bytes in one command line; asyncio's default of 64 KiB is less than a long sequence set."""
GRACE = 0.1
"""Seconds that a client has at the end to read its BYE (and, with TLS, to close its side) before the connection is aborted."""
PATIENCE = 10.0
"""Seconds to wait for the thread to start or to end."""

_log = logging.getLogger("imapkit.cli.mailhost")


class _Config(Config):
    """pymap's settings, without its DNS look-up of this machine's name for every greeting."""

    @property
    def greeting(self) -> bytes:
        return b"imapkit demo server ready"


class _Remote(SocketInfoLocal):
    """A connection that does not count as local: pymap lets clients on localhost log in before STARTTLS."""

    @property
    def from_localhost(self) -> bool:
        return False


class PymapServer:
    """One pymap server with the ``dict`` backend; :meth:`start` returns its port once it listens."""

    def __init__(
        self, users: Mapping[str, str], *, preauth: bool, tls: tuple[str, str] | None, demo_data: bool, max_append: int
    ) -> None:
        self._users, self._preauth, self._tls = users, preauth, tls
        self._demo_data, self._max_append = demo_data, max_append
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="imapkit-mailhost", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def start(self) -> int:
        """Start the thread and return the port. Raises the exception that kept the server from starting."""
        self._thread.start()
        try:
            return self._started.result(PATIENCE)
        except BaseException:
            self._thread.join(PATIENCE)
            raise

    def stop(self) -> None:
        """Send BYE to every client, close everything and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise RuntimeError("the pymap thread did not end")

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = self._configuration()
        config.apply_context()
        self._imap = IMAPServer(await self._login(config), config)
        server = await asyncio.start_server(self._accept, HOST, 0, limit=LINE_LIMIT)
        self._started.set_result(server.sockets[0].getsockname()[1])
        await self._stopping.wait()
        server.close()
        await self._hang_up()
        await server.wait_closed()

    def _configuration(self) -> _Config:
        user, password = next(iter(self._users.items()))
        return _Config(
            Namespace(proxy_protocol=None, passlib_cfg=None),
            host=HOST,
            port=0,
            demo_data=self._demo_data,
            demo_user=user,
            demo_password=password,
            tls_enabled=self._tls is not None,
            ssl_context=self._ssl_context(),
            preauth_credentials=PlainCredentials(user, password) if self._preauth else None,
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
            hash_context=BuiltinHash(rounds=1),  # the passwords are public: half a second of hashing per login would be wasted
            cpu_subsystem=Subsystem.for_asyncio(),  # pymap's own is a pool of threads that it never ends
            max_append_len=self._max_append,
        )

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self._tls is not None:
            context.load_cert_chain(*self._tls)
        return context

    async def _login(self, config: _Config) -> Login:
        login = Login(config)
        for name, password in self._users.items():
            hashed = await Passwords(config).hash_password(password)
            await Identity(name, login, None, frozenset()).set(UserMetadata(config, name, password=hashed))
        return login

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._imap(reader, writer, self._peer(writer))
        except Exception:
            _log.exception("pymap failed while it served a connection")
        with suppress(OSError):
            await writer.wait_closed()
        self._writers.discard(writer)

    def _peer(self, writer: asyncio.StreamWriter) -> SocketInfo:
        if self._tls is not None:
            return _Remote(writer, unique_id=uuid4().bytes)
        return SocketInfo.get(writer, ProxyResultLocal(), unique_id=uuid4().bytes)

    async def _hang_up(self) -> None:
        """End every connection. pymap answers a cancellation with BYE; it aborts a connection whose client does not read that."""
        this = asyncio.current_task()
        while tasks := {task for task in asyncio.all_tasks() if task is not this}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=GRACE)
            for writer in self._writers:
                writer.transport.abort()
