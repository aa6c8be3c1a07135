"""imaplib2's public signatures: parameter names, order and defaults; ours may take more keywords, after those."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from imapkit import IMAP4, IMAP4_SSL, IMAP4_stream, ext

# As imaplib2 3.6 documents and has them, without self; every command takes ``**kw`` as well.
CLASSES: dict[type, str] = {
    IMAP4: "host=None, port=None, debug=None, debug_file=None, identifier=None, timeout=None, debug_buf_lvl=None",
    IMAP4_SSL: (
        "host=None, port=None, keyfile=None, certfile=None, ca_certs=None, cert_verify_cb=None, ssl_version='ssl23', "
        "debug=None, debug_file=None, identifier=None, timeout=None, debug_buf_lvl=None, tls_level='tls_compat'"
    ),
    IMAP4_stream: "command, debug=None, debug_file=None, identifier=None, timeout=None, debug_buf_lvl=None",
}
HOOKS = {
    "open": "host=None, port=None",
    "open_socket": "",
    "read": "size",
    "send": "data",
    "shutdown": "",
    "socket": "",
    "pop_untagged_responses": "",
}
COMMANDS = {
    "append": "mailbox, flags, date_time, message",
    "authenticate": "mechanism, authobject",
    "capability": "",
    "check": "",
    "close": "",
    "copy": "message_set, new_mailbox",
    "create": "mailbox",
    "delete": "mailbox",
    "deleteacl": "mailbox, who",
    "examine": "mailbox='INBOX'",
    "expunge": "",
    "fetch": "message_set, message_parts",
    "getacl": "mailbox",
    "getannotation": "mailbox, entry, attribute",
    "getquota": "root",
    "getquotaroot": "mailbox",
    "id": "*kv_pairs",
    "idle": "timeout=None",
    "list": "directory='\"\"', pattern='*'",
    "login": "user, password",
    "login_cram_md5": "user, password",
    "logout": "",
    "lsub": "directory='\"\"', pattern='*'",
    "myrights": "mailbox",
    "namespace": "",
    "noop": "",
    "partial": "message_num, message_part, start, length",
    "proxyauth": "user",
    "recent": "",
    "rename": "oldmailbox, newmailbox",
    "response": "code",
    "search": "charset, *criteria",
    "select": "mailbox='INBOX', readonly=False",
    "setacl": "mailbox, who, what",
    "setannotation": "*args",
    "setquota": "root, limits",
    "sort": "sort_criteria, charset, *search_criteria",
    "starttls": "keyfile=None, certfile=None, ca_certs=None, cert_verify_cb=None, ssl_version='ssl23', tls_level='tls_compat'",
    "status": "mailbox, names",
    "store": "message_set, command, flags",
    "subscribe": "mailbox",
    "thread": "threading_algorithm, charset, *search_criteria",
    "uid": "command, *args",
    "unsubscribe": "mailbox",
    "xatom": "name, *args",
}
# Commands whose parameters imaplib2 gave no ``**kw``: name and parameters.
ADDED = {"expunge": ["message_set"]}
"""Parameters behind those of imaplib2, as Python 3.16's imaplib has them."""
OTHERS = {"enable": "capability", "fetch_to": "message, message_part, to"}
BASE = ext.INDEX["rev1"]


def wanted(parameters: str) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of each."""
    made: dict[str, Any] = {}
    exec(f"def function({parameters}): ...", made)
    return shape(made["function"])


def shape(function: Any) -> list[tuple[str, Any, Any]]:
    """A signature as a caller sees it that uses no keywords of imapkit's."""
    skipped = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters if each.kind not in skipped and each.name != "self"]


def takes_any_keyword(function: Any) -> bool:
    """Whether there is ``**options``."""
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in inspect.signature(function).parameters.values())


@pytest.mark.parametrize("cls", CLASSES)
def test_constructors(cls: Any) -> None:
    assert shape(cls.__init__) == wanted(CLASSES[cls])
    extra = [each for each in inspect.signature(cls.__init__).parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert all(each.default is None or each.default is False for each in extra)


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("cls", CLASSES)
def test_methods_for_subclasses_to_override(cls: type, name: str) -> None:
    assert shape(getattr(cls, name)) == wanted(HOOKS[name])


def test_every_method_of_ours_that_imaplib2_has_is_in_the_table() -> None:
    listed = {*COMMANDS, *OTHERS, *HOOKS}
    assert set(BASE) <= listed


@pytest.mark.parametrize(
    "name", [name for name in {**COMMANDS, **OTHERS} if any(name in methods for methods in ext.INDEX.values())]
)
def test_commands(name: str) -> None:
    method = getattr(IMAP4, name)
    theirs, ours = wanted({**COMMANDS, **OTHERS}[name]), shape(method)
    assert ours[: len(theirs)] == theirs
    assert [each for each, _, _ in ours[len(theirs) :]] == ADDED.get(name, [])
    assert takes_any_keyword(method) or name in OTHERS


def test_the_ssl_method() -> None:
    assert shape(IMAP4_SSL.ssl) == []
    assert shape(IMAP4_SSL.ssl_wrap_socket) == []
