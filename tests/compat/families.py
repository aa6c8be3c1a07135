"""Scripts about the extensions that need a mailbox: IDLE, QUOTA, ACL, ANNOTATEMORE, SORT and THREAD."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.compat.book import ANNOUNCED, DATES, Book, begin, filled
from tests.compat.recorder import PASSWORD, Recorder, letter

SCRIPTS = Book()


def second(run: Recorder) -> Any:
    """Another client of the same library, not recorded."""
    other = run.module.IMAP4(run.on.host, run.on.port, timeout=15)
    other.login(run.on.user, PASSWORD)
    return other


@SCRIPTS.script(stdlib=True)
def quota(run: Recorder) -> None:
    """QUOTA, QUOTAROOT, SETQUOTA: as the server allows. The first script: the usage must not depend on other scripts."""
    run.connect(timeout=15)
    run.getquota("")
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    root = '"User quota"' if run.on.server == "dovecot" else f"user.{run.on.user}"
    run.getquota(root)
    run.getquota("nonesuch")
    run.getquotaroot("INBOX")
    run.getquotaroot(run.on.place("nowhere"))
    run.setquota(root, "(STORAGE 1000)")
    run.called_back("getquota", root)
    run.called_back("setquota", root, "(STORAGE 1000)")
    run.but("callbacks-everywhere").called_back("getquotaroot", "INBOX")
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script()
def idle(run: Recorder) -> None:
    """IDLE ended by news, by its time, by another command; valid or not; and with a callback."""
    box = filled(run, "idle", 1)
    other = second(run)
    run.but("leftover-conditions").leftovers()
    later = threading.Timer(0.5, lambda: other.append(box, None, DATES[1], letter("news")))
    later.start()
    run.idle(20)
    later.join()
    run.response("IDLE")
    run.response("EXISTS")
    run.idle(1)
    run.response("IDLE")
    run.response("EXISTS")
    command = threading.Timer(0.5, lambda: run.client.noop())
    command.start()
    run.idle(3)
    command.join()
    run.but("idle-interrupted").response("IDLE")
    run.noop()
    other.logout()


@SCRIPTS.script()
def idle_called_back(run: Recorder) -> None:
    """IDLE with a callback, ended by its time and by the next command."""
    filled(run, "idling", 1)
    run.called_back("idle", 1)
    run.response("IDLE")
    answers: list[Any] = []
    done = threading.Event()

    def called(answer: Any) -> None:
        answers.append(answer)
        done.set()

    run.look("idle", lambda: run.client.idle(20, callback=called, cb_arg="mine"))
    # imaplib2 ends no IDLE that the server has not accepted yet.
    time.sleep(0.3)
    run.noop()
    run.look("answer", lambda: (done.wait(10), answers))
    run.logout()


@SCRIPTS.script()
def idle_not_selected(run: Recorder) -> None:
    """RFC 2177 allows IDLE without a mailbox; imaplib2 does not."""
    run.connect(timeout=15)
    run.idle(1)
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)
    run.but("idle-authenticated").idle(1)


@SCRIPTS.script(stdlib=True)
def acl(run: Recorder) -> None:
    """GETACL, SETACL, DELETEACL, MYRIGHTS."""
    begin(run)
    box = run.on.place("acl")
    run.getacl(box)
    run.create(box)
    run.getacl(box)
    run.setacl(box, "bob", "lrs")
    run.getacl(box)
    run.setacl(box, "bob", "+w")
    run.called_back("setacl", box, "bob", "-w")
    run.called_back("getacl", box)
    run.myrights(box)
    run.called_back("myrights", box)
    run.setacl(box, "bob", "Q")
    run.deleteacl(box, "bob")
    run.called_back("deleteacl", box, "bob")
    run.getacl(box)
    run.myrights(run.on.place("nowhere"))
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script("cyrus", stdlib=True)
def annotation(run: Recorder) -> None:
    """GETANNOTATION and SETANNOTATION, every argument as it goes over the wire."""
    begin(run)
    box = run.on.place("annotated")
    run.create(box)
    run.setannotation(f'"{box}"', '"/comment"', '("value.priv" "mine" "value.shared" "ours")')
    run.getannotation(f'"{box}"', '"/comment"', '"value.priv"')
    run.getannotation(f'"{box}"', '"/comment"', '("value.priv" "size.priv")')
    run.setannotation(f'"{box}"', '"/comment"', '("value.priv" NIL)')
    run.getannotation(f'"{box}"', '"/comment"', '"value.priv"')
    run.getannotation('"INBOX.nowhere"', '"/comment"', '"value.priv"')
    run.called_back("getannotation", f'"{box}"', '"/comment"', '"value.shared"')
    run.called_back("setannotation", f'"{box}"', '"/comment"', '("value.shared" NIL)')
    run.but("annotation-quoting", "quoting-imaplib").getannotation(box, "/comment", "value.shared")
    run.but("leftover-conditions").leftovers()


@SCRIPTS.script("dovecot", stdlib=True)
def no_annotation(run: Recorder) -> None:
    """A server that has none: BAD."""
    begin(run)
    run.getannotation('"INBOX"', '"/comment"', '"value.priv"')
    run.setannotation('"INBOX"', '"/comment"', '("value.priv" "x")')
    run.noop()


@SCRIPTS.script(stdlib=True)
def sort(run: Recorder) -> None:
    """SORT: criteria with and without parentheses, also by UID; what is not known."""
    filled(run, "sort", 4)
    run.sort("(REVERSE DATE)", "UTF-8", "ALL")
    run.sort("REVERSE ARRIVAL", "UTF-8", "ALL")
    run.sort("(SUBJECT)", "US-ASCII", "SUBJECT", '"number 1"')
    run.sort("(SIZE)", "UTF-8", "TEXT nowhere")
    run.uid("SORT", "(REVERSE ARRIVAL)", "UTF-8", "ALL")
    run.sort("(NONESUCH)", "UTF-8", "ALL")
    run.sort("(SUBJECT)", "X-NONESUCH", "ALL")
    run.called_back("sort", "(SIZE)", "UTF-8", "ALL")
    run.called_back("uid", "SORT", "(SIZE)", "UTF-8", "ALL")
    run.noop()


@SCRIPTS.script(stdlib=True)
def thread(run: Recorder) -> None:
    """THREAD, also by UID."""
    box = filled(run, "thread", 2)
    run.append(box, None, DATES[2], letter("Re number 0", more="In-Reply-To: <number.0@example.com>\r\n"))
    run.append(box, None, DATES[3], letter("another", more="References: <number.0@example.com>\r\n"))
    run.noop()
    run.thread("REFERENCES", "UTF-8", "ALL")
    run.thread("ORDEREDSUBJECT", "US-ASCII", "SUBJECT", '"number"')
    run.thread("REFERENCES", "UTF-8", "TEXT nowhere")
    run.uid("THREAD", "REFERENCES", "UTF-8", "ALL")
    run.thread("NONESUCH", "UTF-8", "ALL")
    run.called_back("thread", "REFERENCES", "UTF-8", "ALL")
    run.noop()
