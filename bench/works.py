"""The work of every client, and imapkit's targets as multiples of its peers' figures."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ORDER", "WORKS", "Goal", "Work", "goal"]

ORDER = ("bare", "imapkit", "imaplib", "imaplib2", "imapclient", "aioimaplib", "imap_tools", "imapflow")
"""The clients, in the order of the tables; "bare" is a socket that reads the same bytes and parses none: the floor."""


@dataclass(frozen=True)
class Goal:
    """The most that imapkit may take: as a multiple of each client's figure, and of its own."""

    targets: dict[str, float] = field(default_factory=dict)
    at_most: float | None = None


@dataclass(frozen=True)
class Work:
    """One kind of work.

    ``function`` of a client's module does it; ``mailbox`` is what the canned server answers from, ``size`` how much of it
    (``small``: for a try; ``layered``: over TLS and COMPRESS, where it would take long; ``real_size``: of a real server, if it
    can be asked). ``targets`` and ``at_most``: the goal on the canned server in the clear. ``figure`` is what is compared:
    "wall", or what the function notes. ``own``: it says how one client's times are to each other, or is the worst of them, so
    that another client's is no measure of it. ``delay``: seconds of round trip. ``canned``: whether the canned server can be
    asked. ``plain``: in the clear only, as no layer takes part in it, or it cannot be seen through one. ``real_mailbox``: what
    is selected on a real server. ``stamped``: a real server's EXISTS hold the time of sending. ``spared``: clients with less
    of it on the canned server in the clear, as it would take minutes.
    """

    name: str
    title: str
    mailbox: str
    size: int
    small: int
    function: str = ""
    targets: dict[str, float] = field(default_factory=dict)
    at_most: float | None = None
    figure: str = "wall"
    unit: str = "ms"
    own: bool = False
    delay: float = 0.0
    layered: int = 0
    real_size: int = 0
    real_mailbox: str = "Bench"
    canned: bool = True
    plain: bool = False
    stamped: bool = False
    spared: tuple[str, ...] = ()

    @property
    def does(self) -> str:
        """The function's name."""
        return self.function or self.name

    def titled(self, size: int) -> str:
        """The title, for so much of it."""
        return self.title.format(size=size, megabytes=size / 1e6)

    def sized(self, server: str, layer: str, *, small: bool = False) -> int:
        """How much of it is done through a layer; 0 where it cannot be."""
        if (layer != "plain" and self.plain) or not (self.canned if server == "canned" else self.real_size):
            return 0
        if small:
            return self.small if layer == "plain" or self.name in _TRIED else 0
        size = self.size if server == "canned" else self.real_size
        return min(size, self.layered) if layer != "plain" and self.layered else size


def _typed(name: str, title: str, size: int, *, at_most: float, small: int = 50, mailbox: str = "none") -> Work:
    """Two ways of imapkit in turn. (No layer takes part in what is between them.)"""
    return Work(name, title, mailbox, size, small, figure="ratio", unit="x", own=True, at_most=at_most, plain=True)


# They hand APPEND to imaplib, which waits 40 ms in each.
_SPARED = ("imapclient", "imap_tools")
_ALL = (
    Work("flags", "FETCH of {size:,} rows of flags, raw", "flags", 50_000, 500,
         targets={"imaplib": 0.4, "imaplib2": 0.2}, real_size=1000),
    Work("structures", "FETCH of {size:,} rows of ENVELOPE and BODYSTRUCTURE, raw", "structures", 4000, 100,
         targets={"imaplib": 0.6}, real_size=1000),
    Work("structures_parsed", "{size:,} rows of ENVELOPE and BODYSTRUCTURE, parsed", "structures", 4000, 100,
         targets={"imapclient": 0.5, "imapflow": 0.9}, real_size=1000),
    Work("structures_decoded", "the same, words and parameters decoded", "structures", 4000, 100,
         targets={"imapflow": 0.9}, real_size=1000),
    Work("flags_parsed", "{size:,} rows of flags, parsed", "flags", 50_000, 500,
         targets={"imapclient": 0.5, "imapflow": 0.6}, real_size=1000),
    Work("listing", "LIST of {size:,} mailboxes, raw", "names", 5000, 50),
    Work("listing_parsed", "LIST of {size:,} mailboxes, parsed", "names", 5000, 50),
    Work("bodies", "{size:,} bodies of 16 KiB", "bodies", 3000, 30, targets={"imaplib": 0.9, "imaplib2": 0.02}, real_size=1000),
    Work("big", "one body of {megabytes:g} MB", "big", 200_000_000, 1_000_000, targets={"bare": 1.6}),
    Work("big_memory", "peak memory of one body of {megabytes:g} MB", "big", 200_000_000, 1_000_000, function="big",
         figure="memory per byte", unit="x", at_most=1.2),
    Work("noops", "{size:,} NOOPs, one after another", "none", 3000, 50, targets={"imaplib": 1.3}, real_size=1000),
    Work("noops_pipelined", "{size:,} NOOPs, pipelined", "none", 3000, 50, targets={"imaplib2": 0.5}, real_size=1000),
    Work("far", "{size:,} commands over a link of 20 ms", "none", 100, 20, targets={"bare": 1.5}, delay=0.02, layered=25),
    Work("appends", "{size:,} APPENDs of 4 KB, one after another", "none", 2000, 20,
         targets={"imaplib2": 0.6}, layered=250, real_size=100, spared=_SPARED),
    Work("appends_stall", "99 of 100 of these APPENDs within", "none", 2000, 20, function="appends", figure="p99",
         at_most=20, layered=250, real_size=100, spared=_SPARED),
    Work("appends_slowest", "the slowest of these APPENDs", "none", 2000, 20, function="appends", figure="slowest", own=True,
         at_most=40, layered=250, real_size=100, spared=_SPARED),
    Work("appends_pipelined", "{size:,} APPENDs of 4 KB, pipelined", "none", 2000, 20,
         targets={"imaplib2": 0.2}, layered=250, real_size=100),
    Work("appends_held", "{size:,} APPENDs of 4 KB, pipelined, to a server that holds small answers back", "held", 100, 10),
    Work("importing", "importing it", "none", 1, 1, targets={"imaplib": 0.7}, plain=True),
    Work("first", "the first client beyond that, {size:,} distributions installed", "none", 100, 100, plain=True, at_most=60),
    Work("idlers", "memory of one idle connection in IDLE, of {size:,}", "none", 500, 10, targets={"imaplib2": 0.5},
         figure="KiB each", unit="KiB", layered=100),
    Work("idlers_threads", "threads of one idle connection in IDLE, of {size:,}", "none", 500, 10, function="idlers",
         figure="threads each", unit="", at_most=1, layered=100),
    Work("callback", "a callback, after the server's line", "stamped", 300, 10, targets={"imaplib2": 0.8}, figure="delay",
         unit="us"),
    Work("idle_news", "news in IDLE, after the server's line", "stamped", 100, 5, targets={"imaplib2": 0.8}, figure="delay",
         unit="us"),
    Work("idle_seen", "mail seen in IDLE, after its APPEND", "none", 0, 2, targets={"imaplib2": 0.8}, figure="delay", unit="us",
         real_size=8, real_mailbox="Appended", canned=False, layered=2, stamped=True),
    Work("idle_line", "mail seen in IDLE, after the server's line", "none", 0, 2, function="idle_seen", targets={"imaplib2": 0.8},
         figure="delay after the line", unit="us", real_size=8, real_mailbox="Appended", canned=False, plain=True, stamped=True),
    Work("threads_16", "{size:,} FETCHes from 16 threads", "none", 4800, 160, function="threads", figure="16 threads",
         layered=800),
    Work("threads_1", "{size:,} FETCHes from 1 thread", "none", 4800, 160, function="threads", figure="1 thread", layered=800),
    Work("threads_gain", "time of 16 threads, in those of 1", "none", 4800, 160, function="threads", figure="16 in 1", unit="x",
         own=True, at_most=1, layered=800),
    Work("threads_fair", "p99 of 16 threads' latency, in medians", "none", 4800, 160, function="threads",
         figure="p99 in medians", unit="x", own=True, at_most=20, layered=800),
    # Typed calls: one way of imapkit in turn with another, in one process.
    _typed("typed_noops", "typed NOOPs that block, in raw ones", 1000, at_most=1.1),
    _typed("typed_futures", "{size:,} NOOPs pipelined as futures, in callbacks", 3000, at_most=1.7),
    _typed("typed_status", "{size:,} STATUSes pipelined as futures, in callbacks, all parsed", 2000, at_most=1.4),
    _typed("typed_gather", "{size:,} NOOPs gathered on asyncio, in futures", 3000, at_most=1.3),
    _typed("typed_awaited", "NOOPs on asyncio one by one, in raw ones", 1000, at_most=2.3),
    _typed("typed_first", "the first typed client, in the first raw one", 9, at_most=1.3, small=1),
    _typed("typed_literal", "{megabytes:g} MB into a file as one literal, in raw ones in memory", 200_000_000, at_most=1.1,
           mailbox="big", small=1_000_000),
    _typed("typed_window", "{megabytes:g} MB into a file in pieces of 1 MiB, in raw ones in memory", 200_000_000, at_most=1.7,
           mailbox="big", small=1_000_000),
    _typed("typed_append", "APPEND of a file of {megabytes:g} MB, in those of bytes", 200_000_000, at_most=1.3, small=1_000_000),
    _typed("typed_append_lf", "the same, line ends to be made for the file", 200_000_000, at_most=3, small=1_000_000),
    # Typed calls beside other clients.
    Work("down_literal", "memory of {megabytes:g} MB into a file as one literal", "big", 200_000_000, 1_000_000, figure="MiB",
         unit="MiB", at_most=20, plain=True),
    Work("down_window", "memory of {megabytes:g} MB into a file in pieces of 1 MiB", "big", 200_000_000, 1_000_000, figure="MiB",
         unit="MiB", at_most=12, plain=True),
    Work("down_window_time", "the time of that", "big", 200_000_000, 1_000_000, function="down_window", plain=True),
    Work("up", "memory of an APPEND of a file of {megabytes:g} MB", "none", 200_000_000, 1_000_000, figure="MiB", unit="MiB",
         at_most=2, plain=True),
    Work("awaited", "{size:,} NOOPs on asyncio, one by one", "none", 3000, 50, targets={"aioimaplib": 1.5}, plain=True),
    Work("status_far", "{size:,} STATUSes over a link of 10 ms, as futures", "none", 200, 20, at_most=40, delay=0.01, plain=True),
    Work("status_far_awaited", "{size:,} STATUSes over a link of 10 ms, on asyncio", "none", 200, 20, at_most=40, delay=0.01,
         plain=True),
    Work("rows_flags", "{size:,} typed rows of UID and flags", "uidflags", 50_000, 500,
         targets={"imapclient": 0.2, "imapflow": 0.3}, real_size=1000, plain=True),
    Work("rows_envelope", "{size:,} typed rows of ENVELOPE", "uidenvelopes", 4000, 100,
         targets={"imapclient": 0.4, "imapflow": 0.9}, real_size=1000, plain=True),
    Work("rows_body", "{size:,} typed rows of BODYSTRUCTURE", "uidbodies", 4000, 100,
         targets={"imapclient": 0.4, "imapflow": 0.9}, real_size=1000, plain=True),
    Work("rows", "{size:,} typed rows of flags, ENVELOPE and BODYSTRUCTURE", "uidall", 4000, 100,
         targets={"imapclient": 0.4, "imapflow": 0.9}, real_size=1000, plain=True),
)  # fmt: skip
WORKS = {work.name: work for work in _ALL}

_TRIED = {"flags", "noops", "far", "callback", "idle_seen"}
"""The work tried through layers in a short run: all clients, and every way to reach a server."""
_BEATEN = {"imaplib": 1.0, "imaplib2": 1.0}


def goal(work: Work, server: str, layer: str) -> Goal:
    """What is to be reached: over TLS and COMPRESS no row may be slower than imaplib's or imaplib2's."""
    if layer != "plain":
        return Goal({} if work.own else _BEATEN, work.at_most)
    if server == "canned" or not work.canned:
        return Goal(work.targets, work.at_most)
    return Goal()
