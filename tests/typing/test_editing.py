"""What an editor completes: methods, arguments and results, in ``with`` blocks and in loops."""

from __future__ import annotations

import textwrap

import pytest

from tests.typing.editing import Shown, edit

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("jedi", reason="jedi is in the extra dev")

IMPORTS = """\
import asyncio
import imapkit
from concurrent.futures import as_completed
from imapkit import BODY, ENVELOPE, FLAGS, IMAP4, IMAP4_SSL, IMAP4_stream, Account, Mailbox, Password, Role, UIDSet, q, sort
from imapkit.ext import gmail
from imapkit.ext.gmail import Gmail
from imapkit.ext.rev1 import FetchData, MailboxListing, MailboxStatus
from imapkit.plugin import Blocking
from imapkit_acme import AcmeCommands

class MyIMAP(IMAP4, AcmeCommands): ...

class MyBox(Mailbox, Gmail[Blocking]): ...

"""
CONNECTED = 'with imapkit.connect("h", "ada", "secret") as client:'
SELECTED = f"{CONNECTED}\n    with client.select() as inbox:"
LATER = "async def work():\n    async with await imapkit.connect_async('h', 'ada', 'secret') as client:"
LATER_SELECTED = f"{LATER}\n        async with client.select() as inbox:"

# What an editor offers at the end of a program.
SESSION = {"status", "mailboxes", "role", "append", "quota", "acl", "run", "with_options", "capabilities", "raw"}
BOX = {"search", "fetch", "add_flags", "move", "delete", "read_text", "sort", "idle", "add_labels", "exists", "with_options"}
MESSAGE = {"uid", "envelope", "flags", "body", "size", "date", "get"}
STATUS = {"mailbox", "messages", "unseen", "uidnext"}
FUTURE = {"result", "add_done_callback", "cancel"}
UIDS = {"newest", "oldest", "chunks", "ranges"}
NAMES = {
    # Blocking
    f"{CONNECTED}\n    client.": SESSION | {"select", "nowait", "asynchronous", "close"},
    "account = Account('h', Password('ada', 'secret'))\nwith account.connect() as client:\n    client.": SESSION | {"select"},
    "client = imapkit.connect('h', 'ada', 'secret')\nclient.": SESSION | {"select"},
    f"{CONNECTED}\n    client.with_options(timeout=5).": SESSION | {"select"},
    f"{SELECTED}\n        inbox.with_options(timeout=5).search(q.seen).": UIDS,
    f"{CONNECTED}\n    client.status('INBOX').": STATUS,
    f"{CONNECTED}\n    for box in client.mailboxes():\n        box.": {"mailbox", "role", "role_from", "status", "is_selectable"},
    f"{CONNECTED}\n    for box in client.mailboxes():\n        box.status.": STATUS,
    f"{CONNECTED}\n    client.role(Role.SENT).": {"mailbox", "role"},
    f"{CONNECTED}\n    client.append('INBOX', b'').": {"uid", "uidvalidity"},
    f"{CONNECTED}\n    client.quota()[0].": {"resources", "root"},
    f"{CONNECTED}\n    client.raw.": {"login", "fetch", "select"},
    f"{SELECTED}\n        inbox.": BOX | {"open", "nowait"},
    f"{CONNECTED}\n    inbox = client.select('INBOX', readonly=True)\n    inbox.": BOX,
    f"{SELECTED}\n        inbox.search(q.unseen).": UIDS,
    f"{SELECTED}\n        for m in inbox.fetch(inbox.search(q.all_).newest(50), ENVELOPE):\n            m.": MESSAGE,
    f"{SELECTED}\n        for m in inbox.fetch(1, ENVELOPE):\n            m.envelope.": {"subject", "date", "raw_subject"},
    f"{SELECTED}\n        for m in inbox.fetch(1, ENVELOPE):\n            m[ENVELOPE].": {"subject", "date"},
    f"{SELECTED}\n        next(inbox.fetch(1, BODY)).body.": {"html", "text", "attachments", "walk"},
    f"{SELECTED}\n        for p in next(inbox.fetch(1, BODY)).body.attachments:\n            p.": {"filename", "size"},
    f"{SELECTED}\n        inbox.move(1, 'x').": {"uids", "uidvalidity"},
    f"{SELECTED}\n        inbox.message(1).": {"get_body", "iter_attachments"},
    f"{SELECTED}\n        with inbox.open(1, '2') as f:\n            f.": {"read", "seek"},
    f"{SELECTED}\n        for t in inbox.thread():\n            t.": {"numbers", "branches", "root"},
    f"{SELECTED}\n        Gmail(inbox).": {"add_labels", "remove_labels", "with_options"},
    f"{SELECTED}\n        with MyBox(inbox) as mine:\n            mine.": BOX,
    # Futures
    f"{CONNECTED}\n    client.nowait.": SESSION,
    f"{CONNECTED}\n    client.nowait.status('INBOX').": FUTURE,
    f"{CONNECTED}\n    client.nowait.status('INBOX').result().": STATUS,
    f"{CONNECTED}\n    asked = {{client.nowait.status('INBOX'): 1}}\n    for done in as_completed(asked):\n        done.": FUTURE,
    f"{CONNECTED}\n    for done in [client.nowait.status('INBOX')]:\n        done.result().": STATUS,
    f"{SELECTED}\n        inbox.nowait.": BOX,
    f"{SELECTED}\n        inbox.nowait.search().result().": UIDS,
    f"{SELECTED}\n        for m in inbox.nowait.fetch(1, FLAGS).result():\n            m.": MESSAGE,
    # asyncio
    f"{LATER}\n        client.": SESSION | {"select", "close"},
    f"{LATER}\n        (await client.status('INBOX')).": STATUS,
    f"{LATER}\n        for box in await client.mailboxes():\n            box.": {"mailbox", "role"},
    f"{LATER_SELECTED}\n            inbox.": BOX,
    f"{LATER}\n        inbox = await client.select()\n        inbox.": BOX,
    f"{LATER_SELECTED}\n            found = await inbox.search(q.seen)\n            found.": UIDS,
    f"{LATER_SELECTED}\n            async for m in inbox.fetch(1, FLAGS):\n                m.": MESSAGE,
    # Values, and the methods of IMAP4
    "q.": {"unseen", "since", "from_", "all_", "uid"},
    "sort.": {"ARRIVAL", "DISPLAYTO"},
    'UIDSet("1").': UIDS | {"isdisjoint"},
    "with MyIMAP('h') as mine:\n    mine.": {"login", "fetch", "parse", "state", "xacme_team", "x_gm_labels"},
    "with IMAP4_SSL('h') as imap:\n    imap.": {"login", "select", "fetch", "getquota", "idle", "parse", "capabilities", "state"},
    "with IMAP4_stream('h') as imap:\n    imap.": {"login", "select", "fetch", "getquota", "idle", "parse", "state"},
    "with IMAP4('h') as imap:\n    imap.family(AcmeCommands).": {"xacme_team"},
    'with IMAP4("h") as imap:\n    typ, data = imap.fetch("1", "UID")\n    data.': {"parsed", "status", "responses"},
    'with IMAP4("h") as imap:\n    for message in imap.fetch("1", "UID")[1].parsed(FetchData):\n        message.': {
        "uid", "flags", "envelope", "structure", "number", "body",
    },
    'with IMAP4("h") as imap:\n    for message in imap.fetch("1", "UID")[1].parsed(FetchData):\n        message.envelope.': {
        "raw_subject", "subject", "date", "sender",
    },
    "with IMAP4('h') as imap:\n    for box in imap.list()[1].parsed(MailboxListing):\n        box.": {"name", "mailbox"},
    "with IMAP4('h') as imap:\n    for box in imap.status('x')[1].parsed(MailboxStatus):\n        box.": STATUS,
    "with IMAP4('h') as imap:\n    for quota in imap.parse('QUOTA', []):\n        quota.": {"root", "resource", "resources"},
}  # fmt: skip
ABSENT = {
    f"{CONNECTED}\n    client.": {"search", "fetch"},
    f"{CONNECTED}\n    client.nowait.": {"select", "search"},
    f"{SELECTED}\n        inbox.": {"status", "select"},
    "with IMAP4('h') as imap:\n    imap.family(AcmeCommands).": {"login", "fetch"},
}
# The parameters that are shown, and a part of the docstring.
CALLS = {
    "imapkit.connect(": ({"host", "user", "password", "port", "tls", "timeout", "ssl_context"}, "Connect over TLS"),
    f"{CONNECTED}\n    client.select(": ({"mailbox", "readonly"}, "Select a mailbox"),
    f"{CONNECTED}\n    client.status(": ({"mailbox", "items"}, "status of a mailbox"),
    f"{CONNECTED}\n    client.append(": ({"mailbox", "message", "flags", "date", "progress"}, "Add a message"),
    f"{CONNECTED}\n    client.nowait.status(": ({"mailbox", "items"}, "status of a mailbox"),
    f"{SELECTED}\n        inbox.fetch(": ({"which", "items", "reverse", "chunk"}, "messages with these items"),
    f"{SELECTED}\n        inbox.download(": ({"uid", "part", "to", "progress", "resume"}, "file"),
    f"{SELECTED}\n        inbox.nowait.search(": ({"key"}, "search key finds"),
    f"{SELECTED}\n        Gmail(inbox).add_labels(": ({"which", "labels", "silent"}, "Add labels"),
    f"{LATER_SELECTED}\n            await inbox.search(": ({"key"}, "search key finds"),
    "q.header(": ({"name", "words"}, "header field"),
    'with IMAP4("h") as imap:\n    imap.append(': ({"mailbox", "flags", "date_time", "message"}, "ppend"),
    "with MyIMAP('h') as mine:\n    mine.xacme_team(": ({"mailbox"}, "works with a mailbox"),
}


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    """What jedi shows at the end of each program."""
    return edit({code: IMPORTS + code for code in {**NAMES, **CALLS}})


def _title(code: object) -> str:
    return textwrap.shorten(str(code).rpartition("\n")[2], 60) if isinstance(code, str) else ""


@pytest.mark.parametrize("code", NAMES, ids=_title)
def test_names(code: str, shown: dict[str, Shown]) -> None:
    assert NAMES[code] - shown[code].names == set(), code


@pytest.mark.parametrize("code", ABSENT, ids=_title)
def test_names_of_another_state_are_not_offered(code: str, shown: dict[str, Shown]) -> None:
    assert not ABSENT[code] & shown[code].names


@pytest.mark.parametrize("code", CALLS, ids=_title)
def test_arguments(code: str, shown: dict[str, Shown]) -> None:
    parameters, doc = CALLS[code]
    # (jedi gives that of a descriptor once for each of its overloads.)
    [docstring] = {docstring for _, docstring in shown[code].signatures}
    there = shown[code].signatures[0][0]
    assert parameters - there == set(), code
    assert doc in docstring
