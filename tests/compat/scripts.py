"""Scripts about mailboxes and messages: the commands of RFC 3501, each as a program would use it, with and without callbacks."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.compat.book import DATES, Book, begin, filled
from tests.compat.recorder import PASSWORD, Recorder, letter

SCRIPTS = Book()


@SCRIPTS.script(stdlib=True)
def select(run: Recorder) -> None:
    """SELECT and EXAMINE: what they return, and what response() has then."""
    begin(run)
    box = run.on.place("select")
    run.create(box)
    run.append(box, None, DATES[0], letter("one"))
    run.select(box)
    run.but("select-answer").response("EXISTS")
    run.select(box, readonly=True)
    run.response("FLAGS")
    run.response("UIDVALIDITY")
    run.response("UIDVALIDITY")
    run.response("nonesuch")
    run.select(run.on.place("nowhere"))
    run.noop()
    run.select(box)
    run.response("RECENT")
    run.response("flags")
    run.close()
    run.noop()


@SCRIPTS.script()
def selected(run: Recorder) -> None:
    """What select leaves behind for response(), in order; state, mailbox and is_readonly on the way."""
    box = filled(run, "selected", 2)
    run.response("EXISTS")
    run.response("RECENT")
    run.response("PERMANENTFLAGS")
    run.response("UIDNEXT")
    run.response("READ-WRITE")
    run.examine(box)
    run.response("READ-ONLY")
    run.but("leftover-conditions").leftovers()
    run.select()
    run.response("EXISTS")
    run.select(run.on.place("nowhere"))
    run.noop()
    run.select(box)
    run.close()
    run.list('""', box)
    run.select(mailbox=box, readonly=True)
    run.close()


@SCRIPTS.script()
def not_writable(run: Recorder) -> None:
    """A mailbox that the server opens READ-ONLY though SELECT was asked for."""
    owner = run.module.IMAP4(run.on.host, run.on.port, timeout=15)
    owner.login("alice", "alicepw")
    name = f"shown-{run.on.user}"
    owner.create(run.on.place(name))
    owner.setacl(run.on.place(name), run.on.user, "lr")
    owner.append(run.on.place(name), None, None, letter("shown"))
    owner.logout()
    begin(run)
    box = f"user.alice.{name}" if run.on.server == "cyrus" else f"shared/alice/{name}"
    run.but("readonly-attribute").select(box)
    run.but("readonly-once").noop()
    run.but("readonly-once").fetch("1", "(UID)")
    run.select("INBOX")
    run.select(box, readonly=True)
    run.noop()


@SCRIPTS.script()
def select_with_a_callback(run: Recorder) -> None:
    """SELECT, EXAMINE and CLOSE call back as well."""
    box = filled(run, "called", 1)
    run.but("callbacks-everywhere").called_back("close")
    run.but("callbacks-everywhere").called_back("select", box)
    run.but("callbacks-everywhere").called_back("examine", box)
    run.but("callbacks-everywhere").called_back("select", run.on.place("nowhere"))
    run.noop()


@SCRIPTS.script(stdlib=True)
def mailboxes(run: Recorder) -> None:
    """CREATE, LIST, LSUB, SUBSCRIBE, RENAME, STATUS, DELETE; and what servers refuse."""
    begin(run)
    box, other = run.on.place("boxes"), run.on.place("others")
    run.create(box)
    run.create(box)
    run.create(run.on.below(box, "child"))
    run.list('""', f"{box}*")
    run.list(f'"{box}"', '"*"')
    run.list('""', "nowhere*")
    run.list('""', '""')
    run.subscribe(box)
    run.lsub('""', f"{box}*")
    run.unsubscribe(box)
    run.lsub('""', f"{box}*")
    run.status(box, "(MESSAGES RECENT UNSEEN)")
    run.status(run.on.place("nowhere"), "(MESSAGES)")
    run.status(box)
    run.lsub()
    run.rename(box, other)
    run.list('""', f"{other}%")
    run.rename(box, other)
    run.delete(run.on.below(other, "child"))
    run.delete(other)
    run.delete(other)
    run.noop()


@SCRIPTS.script()
def mailboxes_with_callbacks(run: Recorder) -> None:
    """The same, asynchronously."""
    begin(run)
    box = run.on.place("asynchronous")
    run.called_back("create", box)
    run.called_back("create", box)
    run.called_back("list", '""', box)
    run.called_back("subscribe", box)
    run.called_back("lsub", '""', box)
    run.called_back("unsubscribe", box)
    run.called_back("status", box, "(MESSAGES)")
    run.called_back("status", box, "(NONESUCH)")
    run.called_back("rename", box, f"{box}2")
    run.called_back("append", f"{box}2", r"(\Seen)", DATES[0], letter("one"))
    run.called_back("delete", f"{box}2")
    run.called_back("delete", f"{box}2")
    run.but("attribution").called_back("capability")
    run.called_back("noop")
    run.called_back("xatom", "NOOP")
    run.but("callbacks-everywhere").called_back("response", "NONESUCH")
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script()
def names(run: Recorder) -> None:
    """Names that need quotes: quoted by the program both libraries send the same, unquoted imaplib2 sends several arguments."""
    begin(run)
    box = run.on.place("two words")
    run.create(f'"{box}"')
    run.list('""', f'"{box}"')
    run.status(f'"{box}"', "(MESSAGES)")
    run.select(f'"{box}"')
    run.but("quoting").status(box, "(MESSAGES)")
    run.but("quoting").select(box)
    run.select(f'"{box}"')
    run.delete(f'"{box}"'.encode())
    run.but("modified-utf7").create(run.on.place("Reçus"))
    run.but("modified-utf7").list('""', run.on.place("Re&AOc-us"))


@SCRIPTS.script(stdlib=True)
def append(run: Recorder) -> None:
    """APPEND: flags with and without parentheses, dates, line ends, text, 8 bits, emptiness, no such mailbox."""
    begin(run)
    box = run.on.place("append")
    run.create(box)
    run.append(box, None, None, letter("plain"))
    run.append(box, r"\Seen", None, letter("seen"))
    run.append(box, r"(\Seen \Flagged)", DATES[1], letter("flagged"))
    run.append(box, "()", '" 6-Feb-2026 01:02:03 -0330"', letter("dated"))
    run.append(box, "", "", b"Subject: bare\n\nlines\rof\r\nall kinds\n")
    run.append(box, None, None, "Subject: 8 bits\r\n\r\n\xe4\xf6\r\n".encode("latin-1"))
    run.append(run.on.place("nowhere"), None, None, letter("lost"))
    run.append(f'"{box}"', None, None, letter("x" * 50, "long line " * 9000))
    run.select(box)
    run.fetch("3:4", "(INTERNALDATE FLAGS)")
    run.fetch("5:6", "(BODY.PEEK[])")
    run.fetch("7", "(RFC822.SIZE)")
    run.noop()


@SCRIPTS.script()
def append_otherwise(run: Recorder) -> None:
    """APPEND as only imaplib2 takes it: text; and what is in response() then."""
    begin(run)
    run.append(None, None, None, "Subject: text\n\nhello\n")
    run.append("INBOX", None, DATES[2], letter("second"))
    run.response("APPENDUID")
    run.select()
    run.fetch("1:*", "(BODY.PEEK[TEXT])")
    run.append("INBOX", None, '"when I say"', letter("third"))
    run.append("INBOX", (), datetime(2026, 1, 5, 9, 8, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30))), letter("aware"))
    run.fetch("3", "(INTERNALDATE)")
    run.but("numbers-as-dates").append("INBOX", None, 1767600487, letter("fourth"))
    run.but("argument-errors").append("INBOX", None, None, "Subject: \xe4\r\n\r\n")
    run.noop()


@SCRIPTS.script(stdlib=True)
def fetch(run: Recorder) -> None:
    """FETCH: every item of RFC 3501, several messages, literals, none."""
    filled(run, "fetch")
    run.fetch("1", "(UID)")
    run.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")
    run.fetch("2", "(BODY.PEEK[])")
    run.fetch("1:2", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)] BODY.PEEK[TEXT])")
    run.fetch("1,3", "BODY.PEEK[TEXT]<2.5>")
    run.fetch("1", "ENVELOPE")
    run.fetch("1", "(BODYSTRUCTURE BODY)")
    run.fetch("1", "FAST")
    run.fetch("2", "RFC822.HEADER")
    run.fetch("3", "(BODY[1])")
    run.fetch("1:3", "(FLAGS)")
    run.fetch("*", "UID")
    run.fetch("99", "(UID)")
    run.fetch("1", "(NONESUCH)")
    run.fetch("1", "(BODY[NONESUCH])")
    run.fetch(b"1", b"(UID)")
    run.noop()


@SCRIPTS.script()
def fetch_with_callbacks(run: Recorder) -> None:
    """FETCH, SEARCH, STORE, COPY, UID and the like, asynchronously."""
    box = filled(run, "fetched", 4)
    run.called_back("fetch", "1:2", "(UID BODY.PEEK[TEXT])")
    run.called_back("fetch", "1", "(NONESUCH)")
    run.called_back("search", None, "ALL")
    run.called_back("uid", "SEARCH", "SUBJECT", '"number 1"')
    run.called_back("uid", "FETCH", "2", "(FLAGS)")
    run.called_back("store", "2", "+FLAGS", r"(\Deleted)")
    run.called_back("copy", "1", box)
    run.called_back("copy", "1", run.on.place("nowhere"))
    run.called_back("check")
    run.called_back("expunge")
    run.but("callbacks-everywhere").called_back("recent")
    run.called_back("partial", "1", "RFC822", "0", "10")
    run.called_back("noop")


@SCRIPTS.script()
def pipelined(run: Recorder) -> None:
    """Commands with callbacks one after the other, and one that changes the state behind them."""
    box = filled(run, "pipelined", 1)
    came: list[Any] = []
    all_came = threading.Event()

    def slowly(answer: Any) -> None:
        time.sleep(0.1)
        came.append((answer[1], answer[0]))
        if len(came) == 4:
            all_came.set()

    def send_all() -> list[Any]:
        return [run.client.noop(callback=slowly, cb_arg=i) for i in range(1, 5)]

    run.look("four commands", send_all)
    run.select(box)
    run.but("callback-order").look("all were called before", lambda: len(came) == 4)
    run.look("answers", lambda: (all_came.wait(10), came))


@SCRIPTS.script(stdlib=True)
def search(run: Recorder) -> None:
    """SEARCH with criteria together and apart, with a charset, with no hit, with errors."""
    filled(run, "search")
    run.search(None, "ALL")
    run.search(None, "SUBJECT", '"number 1"')
    run.search(None, '(FROM "ann" SUBJECT "number")')
    run.search(None, "UNSEEN", "SINCE", "1-Jan-2026")
    run.search(None, "TEXT nowhere")
    run.search("UTF-8", "ALL")
    run.search("X-NONESUCH", "ALL")
    run.search(None, "NONESUCH")
    run.search(None, "OR", "SUBJECT", "1", "NOT", "SUBJECT", "2")
    run.noop()


@SCRIPTS.script(stdlib=True)
def store(run: Recorder) -> None:
    """STORE: flags with and without parentheses, silently, keywords, errors."""
    filled(run, "store")
    run.store("1", "+FLAGS", r"\Seen")
    run.store("1:2", "FLAGS", r"(\Flagged \Answered)")
    run.store("2", "-FLAGS", r"(\Flagged)")
    run.store("1", "FLAGS", "()")
    run.store("3", "+FLAGS.SILENT", r"(\Draft)")
    run.store("3", "+FLAGS", "Keyword")
    run.fetch("1:*", "(FLAGS)")
    run.store("99", "+FLAGS", r"(\Seen)")
    run.store("1", "+FLAGS", r"(\Nonesuch)")
    run.noop()


@SCRIPTS.script(stdlib=True)
def copy(run: Recorder) -> None:
    """COPY within a mailbox, to another, to one that is not there."""
    box = filled(run, "copy")
    other = run.on.place("copied")
    run.create(other)
    run.copy("1:2", other)
    run.copy("1", run.on.place("nowhere"))
    run.copy("99", other)
    run.copy("3", box)
    run.select(other)
    run.fetch("1:*", "(UID)")
    run.noop()


@SCRIPTS.script()
def copied(run: Recorder) -> None:
    """COPYUID after COPY and after UID COPY."""
    filled(run, "copyuid")
    other = run.on.place("copieduid")
    run.create(other)
    run.copy("1:2", other)
    run.response("COPYUID")
    run.but("uid-results").uid("COPY", "3", other)
    run.response("COPYUID")


@SCRIPTS.script(stdlib=True)
def expunge(run: Recorder) -> None:
    """EXPUNGE with nothing, with several; CLOSE expunges too."""
    box = filled(run, "expunge", 5)
    run.expunge()
    run.store("2", "+FLAGS", r"(\Deleted)")
    run.store("4", "+FLAGS", r"(\Deleted)")
    run.expunge()
    run.search(None, "ALL")
    run.store("1", "+FLAGS", r"(\Deleted)")
    run.close()
    run.select(box)
    run.check()
    run.noop()


@SCRIPTS.script(stdlib=True)
def uid(run: Recorder) -> None:
    """UID FETCH, STORE, SEARCH, COPY, EXPUNGE."""
    box = filled(run, "uid")
    run.uid("FETCH", "1:2", "(FLAGS)")
    run.uid("fetch", "3", "(BODY.PEEK[TEXT])")
    run.uid("SEARCH", "ALL")
    run.uid("SEARCH", None, "SUBJECT", '"number 2"')
    run.uid("STORE", "1", "+FLAGS", r"(\Seen)")
    run.uid("STORE", "1", "+FLAGS.SILENT", r"(\Flagged)")
    run.uid("FETCH", "999", "(FLAGS)")
    run.uid("SEARCH", "CHARSET", "UTF-8", "ALL")
    run.uid("FETCH", "1", "(NONESUCH)")
    run.but("uid-results", "uid-results-imaplib").uid("COPY", "1", box)
    run.noop()


@SCRIPTS.script()
def news(run: Recorder) -> None:
    """What another client does: recent(), response(), the order of what is left over."""
    box = filled(run, "news", 2)
    run.but("leftover-conditions").leftovers()
    other = run.module.IMAP4(run.on.host, run.on.port, timeout=15)
    other.login(run.on.user, PASSWORD)
    run.recent()
    other.append(box, None, DATES[3], letter("news"))
    run.recent()
    run.response("EXISTS")
    other.append(box, None, DATES[4], letter("more"))
    run.noop()
    run.but("recent-type").recent()
    run.but("leftover-conditions").leftovers()
    other.select(box)
    other.store("1", "+FLAGS", r"(\Flagged)")
    run.noop()
    run.response("FETCH")
    other.store("1", "-FLAGS", r"(\Flagged)")
    run.but("attribution").fetch("2", "(UID)")
    run.noop()
    other.store("3", "+FLAGS", r"(\Deleted)")
    other.expunge()
    run.noop()
    run.response("EXPUNGE")
    run.response("expunge")
    run.but("attribution").leftovers()
    other.logout()


@SCRIPTS.script()
def partial(run: Recorder) -> None:
    """PARTIAL, which servers have given up: BAD."""
    filled(run, "partial", 1)
    run.partial("1", "RFC822", "0", "10")
    run.noop()


@SCRIPTS.script()
def arguments(run: Recorder) -> None:
    """Numbers, iterables and control characters as arguments: imaplib2 fails on them with all kinds of errors, or sends them."""
    box = filled(run, "arguments", 2)
    run.but("argument-types").fetch(1, "(UID)")
    run.but("argument-types").fetch([1, 2], ["UID", "FLAGS"])
    run.but("argument-types").store("1", "+FLAGS", [r"\Seen"])
    run.but("argument-types").status(box, ["MESSAGES"])
    run.but("status-parentheses").status(box, "MESSAGES")
    run.but("charset-announced").search(None, "SUBJECT", '"\xe4"')
    run.but("quoting").search(None, "SUBJECT", "number 1")
    run.but("unknown-keywords").noop(frobnicate=True)
    run.noop("superfluous")
    run.noop()


@SCRIPTS.script()
def injection(run: Recorder) -> None:
    """A line end in an argument: imaplib2 sends a second command with it."""
    box = filled(run, "injected", 1)
    run.but("line-ends").status(f"{box} (MESSAGES)\r\nX1 NOOP\r\nX2 STATUS {box}", "(MESSAGES)")
    run.noop()


@SCRIPTS.script(stdlib=True)
def ready_made(run: Recorder) -> None:
    """Arguments that the program has made ready itself: what is quoted, in parentheses or in bytes passes as it is."""
    box = filled(run, "ready")
    run.fetch("2,1", '(UID BODY.PEEK[HEADER.FIELDS ("SUBJECT" FROM)])')
    run.but("fetch-parentheses", "fetch-parentheses-imaplib").fetch("1", "UID FLAGS")
    run.fetch("nonsense", "(UID)")
    run.fetch("", "(UID)")
    run.store("1:*", "+FLAGS", r"\Seen \Flagged")
    run.uid("STORE", "1:*", "-FLAGS", r"\Seen")
    run.uid("STORE", "1:*", "-FLAGS", r"(\Flagged)")
    run.copy("1:*", box)
    run.uid("COPY", "1:2", "INBOX.nowhere")
    run.search(None, "(OR", 'SUBJECT "1"', 'SUBJECT "2")')
    run.search(None, "OR SUBJECT 1 SUBJECT 2")
    run.search(None, "1:2")
    run.search(None, "UID", "1:*")
    run.search(None, 'HEADER "SUBJECT" "number"', "NOT", "DELETED")
    run.search("UTF-8", "SUBJECT", b'"\xc3\xa4"')
    run.search(None, b"ALL")
    run.search("US-ASCII", 'FROM "ann" SINCE 1-Jan-2026 BEFORE "31-Dec-2026"')
    run.status(f'"{box}"', "(MESSAGES UIDNEXT)")
    run.list(f'"{box}"', "%")
    run.but("quoting", "quoting-imaplib").list("", "INBOX")
    run.lsub('""', '"INBOX*"')
    run.select(f'"{box}"', True)
    run.store("1", "+FLAGS", r"\Seen")
    run.expunge()
    run.noop()
    run.but("quoting", "quoting-imaplib").create(run.on.place("(paren)"))
    run.getacl(f'"{box}"')
    run.subscribe(f'"{box}"')
    run.noop()
    run.select(box)
    run.xatom("MOVE", "1", box)
    run.xatom("XTHING", "(a b)", '"c d"', "e")
    run.xatom("XTHING", "1:*")
