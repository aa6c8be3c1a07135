"""How each row of docs/differences.md lets a step differ, and no further. Rows with tests of their own are not here."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

__all__ = ["EXCUSES", "FIELDS", "allowed", "different"]

Step = dict[str, Any]
FIELDS = ("outcome", "state", "mailbox", "is_readonly")
_CODE = re.compile(rb"\[CAPABILITY [^\]]*\] ")


def different(theirs: Step, ours: Step) -> set[str]:
    """The fields in which a step came out differently; imaplib has no ``mailbox``."""
    return {field for field in FIELDS if field in theirs and theirs[field] != ours[field]}


def returned(step: Step) -> Any:
    """The value that a step returned."""
    kind, _, value = step["outcome"].partition(" ")
    return ast.literal_eval(value) if kind == "returns" else None


def raised(step: Step) -> str:
    """The class of what a step raised; "" if it raised nothing."""
    kind, _, value = step["outcome"].partition(" ")
    return value if kind == "raises" else ""


def _connect(theirs: Step, ours: Step) -> bool:
    return raised(theirs) in ("ConnectionRefusedError", "gaierror") and raised(ours) == "abort"


def _tls(theirs: Step, ours: Step) -> bool:
    return raised(theirs).startswith("SSL") and raised(ours) == "abort" and "TLS" in ours["text"]


def _verified(theirs: Step, ours: Step) -> bool:
    return raised(ours) == "abort" and "TLSCertificateError" in ours["text"]


def _tls_versions(theirs: Step, ours: Step) -> bool:
    return "sslerror" in theirs["text"] and "RFC 8996" in ours["text"]


def _greeting(theirs: Step, ours: Step) -> bool:
    """LOGIN's text with the code that Dovecot leaves out for a client that has asked before; or fewer names, from a greeting."""
    one, two = returned(theirs), returned(ours)
    if isinstance(one[1], list):
        return bool(one[0] == two[0] and [_CODE.sub(b"", text) for text in two[1]] == one[1])
    return set(two) < set(one)


def _capabilities(theirs: Step, ours: Step) -> bool:
    return (returned(theirs), returned(ours)) == (False, True)


def _callbacks(theirs: Step, ours: Step) -> bool:
    """imaplib2 returned, or raised, at once what was given to the callback."""
    immediately, given = returned(ours)
    if immediately != (None, None):
        return False
    if raised(theirs):
        return bool(given == [(None, "mine", "error, told in str")])
    now, [(answer, arg, failure)] = returned(theirs)
    [(typ, data), *rest] = given[0]
    if isinstance(data[0], bytes):
        data = [_CODE.sub(b"", data[0]), *data[1:]]
        answer = (answer[0], [_CODE.sub(b"", answer[1][0]), *answer[1][1:]])
    # recent() gives None for OK.
    return bool(now != (None, None) and (answer[0] or "OK", answer[1]) == (typ, data) and rest == [arg, failure])


def _callback_order(theirs: Step, ours: Step) -> bool:
    return (returned(theirs), returned(ours)) == (True, False)


def _unknown_keywords(theirs: Step, ours: Step) -> bool:
    return bool(returned(theirs)[0] == "OK" and raised(ours) == "TypeError")


def _xatom_known(theirs: Step, ours: Step) -> bool:
    if "response" in ours["step"]:
        return bool(returned(ours)[1] == [None] and returned(theirs)[1] != [None])
    return bool(returned(ours)[1] == [b"INBOX (MESSAGES 0)"] and returned(theirs)[0] == "OK")


def _xatom_state(theirs: Step, ours: Step) -> bool:
    return raised(theirs) == "error" and returned(ours)[0] == "OK"


def _uid_results(theirs: Step, ours: Step) -> bool:
    return bool(returned(theirs) == ("OK", [None]) and returned(ours)[0] == "OK" and returned(ours)[1][0])


def _after_logout(theirs: Step, ours: Step) -> bool:
    return (raised(theirs), raised(ours)) == ("error", "abort")


def _logout_twice(theirs: Step, ours: Step) -> bool:
    return raised(theirs) == "OSError" and returned(ours)[0] == "NO"


def _logout_text(theirs: Step, ours: Step) -> bool:
    return bool("class" in returned(theirs)[1][0] and returned(ours)[1][0].startswith("ConnectionClosed: "))


def _text_instead(theirs: Step, ours: Step) -> bool:
    """The server's text, where imaplib2 has nothing."""
    typ, [text] = returned(ours)
    return returned(theirs) in (None, ("OK", [None])) and typ == "OK" and isinstance(text, bytes)


def _never_returns(theirs: Step, ours: Step) -> bool:
    return bool(theirs["outcome"] == "never returns" and ours["outcome"] != "never returns")


def _starttls_state(theirs: Step, ours: Step) -> bool:
    return _never_returns(theirs, ours) and raised(ours) in ("error", "abort")


def _enable_known(theirs: Step, ours: Step) -> bool:
    return bool(returned(theirs)[0] == "OK" and "ArgumentError" in ours["text"])


def _without_conditions(step: Step) -> list[tuple[str, Any]]:
    names = ("OK", "NO", "BAD", "CAPABILITY")
    return [(name, item) for name, items in returned(step) for item in items if name not in names]


def _leftovers(theirs: Step, ours: Step) -> bool:
    """Status responses, which imaplib2 drops at the next command, and what they said of capabilities."""
    return _without_conditions(theirs) == _without_conditions(ours)


def _mailbox(theirs: Step, ours: Step) -> bool:
    """imaplib2 keeps what was selected, or asked for, last."""
    nothing = (ours["mailbox"], ours["is_readonly"]) == ("None", "False")
    return different(theirs, ours) <= {"mailbox", "is_readonly"} and nothing and ours["state"] != "'SELECTED'"


def _readonly_attribute(theirs: Step, ours: Step) -> bool:
    return different(theirs, ours) == {"is_readonly"} and raised(ours) == raised(theirs) == "readonly"


def _readonly_once(theirs: Step, ours: Step) -> bool:
    return raised(theirs) == "readonly" and returned(ours)[0] == "OK" and ours["is_readonly"] == "True"


def _recent(theirs: Step, ours: Step) -> bool:
    return bool(returned(theirs)[0] is None and returned(ours) == ("OK", returned(theirs)[1]))


def _attribution(theirs: Step, ours: Step) -> bool:
    """imaplib2's answer has strangers in it; ours are left over, and have none."""
    one, two = returned(theirs), returned(ours)
    if isinstance(two, list):
        return bool([(name, data) for name, data in two if name != "FETCH"] == one)
    if one[0] == (None, None):
        one, two = one[1][0][0], two[1][0][0]
    return bool(one[0] == two[0] and len(one[1]) > len(two[1]) and set(one[1]) >= set(two[1]))


def _quoting(theirs: Step, ours: Step) -> bool:
    """One argument, where imaplib2 sends two words."""
    return returned(ours)[0] == "OK" and (raised(theirs) == "error" or returned(theirs) != returned(ours))


def _works(*classes: str) -> Callable[[Step, Step], bool]:
    def check(theirs: Step, ours: Step) -> bool:
        return raised(theirs) in classes and returned(ours)[0] == "OK"

    return check


def _modified_utf7(theirs: Step, ours: Step) -> bool:
    if "list" in ours["step"]:
        return returned(theirs) == ("OK", [None]) and b"Re&AOc-us" in returned(ours)[1][0]
    return _works("UnicodeEncodeError")(theirs, ours)


def _argument_errors(theirs: Step, ours: Step) -> bool:
    return raised(theirs) in ("TypeError", "UnicodeEncodeError") and "ArgumentError" in ours["text"]


def _argument_types(theirs: Step, ours: Step) -> bool:
    refused = raised(theirs) in ("TypeError", "error") or returned(theirs)[0] == "NO"
    return bool(refused and returned(ours)[0] == "OK")


def _line_ends(theirs: Step, ours: Step) -> bool:
    return returned(theirs)[0] == "OK" and "CR at byte" in ours["text"]


def _select_answer(theirs: Step, ours: Step) -> bool:
    return (returned(theirs), returned(ours)) == (("EXISTS", [b"1"]), ("EXISTS", [None]))


def _idle_interrupted(theirs: Step, ours: Step) -> bool:
    return (returned(theirs), returned(ours)) == (("IDLE", [b"TIMEOUT"]), ("IDLE", [None]))


ALWAYS = ("mailbox-attribute",)
"""What any step may differ by."""
EXCUSES: dict[str, dict[str, Callable[[Step, Step], bool]]] = {
    "imaplib2": {
        "after-logout": _after_logout,
        "annotation-quoting": _works("error"),
        "argument-errors": _argument_errors,
        "argument-types": _argument_types,
        "attribution": _attribution,
        "callbacks-everywhere": _callbacks,
        "callback-order": _callback_order,
        "capabilities": _capabilities,
        "charset-announced": _works("UnicodeEncodeError"),
        "compression-data": _text_instead,
        "connect-errors": _connect,
        "enable-known": _enable_known,
        "enable-returns": _never_returns,
        "greeting-capabilities": _greeting,
        "fetch-parentheses": _works("error"),
        "idle-authenticated": _works("error"),
        "idle-interrupted": _idle_interrupted,
        "leftover-conditions": _leftovers,
        "line-ends": _line_ends,
        "logout-text": _logout_text,
        "logout-twice": _logout_twice,
        "mailbox-attribute": _mailbox,
        "modified-utf7": _modified_utf7,
        "numbers-as-dates": _works("UnboundLocalError"),
        "quoting": _quoting,
        "readonly-attribute": _readonly_attribute,
        "readonly-once": _readonly_once,
        "recent-type": _recent,
        "starttls-data": _text_instead,
        "starttls-state": _starttls_state,
        "status-parentheses": _works("error"),
        "tls-errors": _tls,
        "tls-versions": _tls_versions,
        "uid-results": _uid_results,
        "unknown-keywords": _unknown_keywords,
        "verified": _verified,
        "xatom-known": _xatom_known,
        "xatom-state": _xatom_state,
    },
    "imaplib": {
        "after-logout-imaplib": _after_logout,
        "attribution-imaplib": _attribution,
        "fetch-parentheses-imaplib": _works("error"),
        "greeting-capabilities-imaplib": _greeting,
        "quoting-imaplib": _works("error"),
        "select-answer": _select_answer,
        "uid-results-imaplib": _uid_results,
    },
}


def allowed(library: str, theirs: Step, ours: Step) -> str | None:
    """The row that excuses how a step differs, or None. Excuses of both libraries stand beside each other in a script."""
    for name in (*theirs["but"], *ALWAYS):
        check = EXCUSES[library].get(name)
        if check is not None and _holds(check, theirs, ours):
            return str(name)
    return None


def _holds(check: Callable[[Step, Step], bool], theirs: Step, ours: Step) -> bool:
    try:
        return check(theirs, ours)
    except (TypeError, ValueError, IndexError, KeyError):
        return False  # one of them did not return what the row speaks of
