"""The work that every client is given, and what imapkit is to reach, as a multiple of what a peer takes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ORDER", "WORKS", "Work"]

ORDER = ("bare", "imapkit", "imaplib", "imaplib2", "imapclient", "aioimaplib", "imap_tools", "imapflow")
"""The clients, in the order of the tables; "bare" is a socket that reads the same octets and looks at none: the floor."""


@dataclass(frozen=True)
class Work:
    """One kind of work.

    ``function`` of a client's module does it; ``mailbox`` is what the canned server answers from, ``size`` how much of it
    (``small``: for a try). ``targets``: the most that imapkit may take, by client, as a multiple of what that one takes;
    ``at_most``: the most of its own figure. ``figure`` is what is compared: "wall", or what the function notes. ``delay``:
    seconds of round trip. ``real_size``: how much a real server is asked, if it can be; ``canned``: whether the canned one
    can. ``plain``: layers change nothing that matters.
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
    delay: float = 0.0
    real_size: int = 0
    canned: bool = True
    plain: bool = False

    @property
    def does(self) -> str:
        """The function's name."""
        return self.function or self.name


_ALL = (
    Work("flags", "FETCH of 50,000 rows of flags, raw", "flags", 50_000, 500,
         targets={"imaplib": 0.4, "imaplib2": 0.2}, real_size=1000),
    Work("structures", "FETCH of 4,000 rows of ENVELOPE and BODYSTRUCTURE, raw", "structures", 4000, 100,
         targets={"imaplib": 0.6}, real_size=1000),
    Work("structures_parsed", "the same 4,000 rows, parsed", "structures", 4000, 100,
         targets={"imapclient": 0.5, "imapflow": 0.9}, real_size=1000),
    Work("flags_parsed", "50,000 rows of flags, parsed", "flags", 50_000, 500,
         targets={"imapclient": 0.5, "imapflow": 0.6}, real_size=1000),
    Work("bodies", "3,000 bodies of 16 KiB", "bodies", 3000, 30, targets={"imaplib": 0.9, "imaplib2": 0.02}, real_size=1000),
    Work("big", "one body of 200 MB", "big", 200_000_000, 1_000_000, targets={"bare": 1.6}),
    Work("big_memory", "peak memory of one body of 200 MB", "big", 200_000_000, 1_000_000, function="big",
         figure="memory per octet", unit="x", at_most=1.2),
    Work("noops", "3,000 NOOPs, one after another", "none", 3000, 50, targets={"imaplib": 1.3}, real_size=3000),
    Work("noops_pipelined", "3,000 NOOPs, pipelined", "none", 3000, 50, targets={"imaplib2": 0.5}, real_size=3000),
    Work("far", "100 commands over a link of 20 ms", "none", 100, 20, targets={"bare": 1.5}, delay=0.02, plain=True),
    Work("appends", "2,000 APPENDs of 4 KB, one after another", "none", 2000, 20, targets={"imaplib2": 0.6}, real_size=200),
    Work("appends_pipelined", "2,000 APPENDs of 4 KB, pipelined", "none", 2000, 20, targets={"imaplib2": 0.2}, real_size=200),
    Work("importing", "importing it", "none", 0, 0, targets={"imaplib": 0.7}, plain=True),
    Work("first", "the first client beyond that, 100 distributions installed", "none", 100, 100, plain=True, at_most=60),
    Work("idlers", "memory of one idle connection in IDLE, of 500", "none", 500, 10, targets={"imaplib2": 0.5},
         figure="KiB each", unit="KiB", plain=True),
    Work("idlers_threads", "threads of one idle connection", "none", 500, 10, function="idlers", figure="threads each",
         unit="", plain=True, at_most=1),
    Work("callback", "a callback, after the server's line", "stamped", 300, 10, targets={"imaplib2": 0.8}, figure="delay",
         unit="us", plain=True),
    Work("idle_news", "news in IDLE, after the server's line", "stamped", 100, 5, targets={"imaplib2": 0.8}, figure="delay",
         unit="us", plain=True),
    Work("idle_seen", "mail seen in IDLE, after its APPEND", "none", 0, 3, targets={"imaplib2": 0.8}, figure="delay", unit="us",
         real_size=20, canned=False, plain=True),
    Work("threads_16", "4,800 FETCHes from 16 threads", "none", 4800, 160, plain=True),
    Work("threads_1", "4,800 FETCHes from 1 thread", "none", 4800, 160, plain=True),
    Work("threads_fair", "p99 of 16 threads' latency, in medians", "none", 4800, 160, function="threads_16",
         figure="p99 in medians", unit="x", plain=True, at_most=20),
)  # fmt: skip
WORKS = {work.name: work for work in _ALL}
