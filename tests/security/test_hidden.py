"""Every form of a secret is hidden, cut off or escaped in another way, at a cost that depends on the text alone."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shlex
import threading
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from imapkit.core.support.secrets import Hidden
from tests.security.test_secrets import CANARY, TOKEN, in_base64


@pytest.mark.parametrize("text", [CANARY, TOKEN, "abcd", "\u00fc\u20ac!", 'a"bcd', "x" * 3000, "0123456789" * 3000])
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_every_form_of_a_secret_is_hidden(text: str, before: str) -> None:
    hidden = Hidden(text)
    data = before.encode() + text.encode() + os.urandom(4).replace(b"\n", b"x")
    core = in_base64(text.encode(), len(before) % 3)
    assert core in base64.b64encode(data)
    for shape in (data, base64.b64encode(data), data.hex().encode(), data.hex().upper().encode(), repr(data).encode()):
        found = hidden.hide(b"< " + shape + b" >")
        assert b"***" in found
        assert text.encode() not in found
        assert len(text) < 6 or core not in found


@pytest.mark.parametrize(
    "shown_as", [str, lambda text: base64.b64encode(b"x" + text.encode()).decode(), lambda text: text.encode().hex()]
)
def test_any_run_of_six_characters_is_hidden(shown_as: Callable[[str], str]) -> None:
    secret = "0123456789abcdef"
    hidden, form = Hidden(secret), shown_as(secret).strip("=")[1:-1]
    for begin in range(2, len(form) - 8):
        for end in range(begin + 6, len(form) - 2):
            assert hidden.hide_text(f"near <{form[begin:end]}>") == "near <***>"
    assert hidden.hide_text("near 01234, bcdef") == "near 01234, bcdef"
    assert hidden.hide_text("012345, 012345. \udc80") == "***, ***. \udc80"


def test_of_a_long_secret_eleven_characters_are_sure_to_be_hidden_in_part() -> None:
    token = base64.b64encode(os.urandom(3000)).decode().rstrip("=").replace("/", "x")
    hidden = Hidden(token)
    assert hidden.hide_text(f"<{token}>") == "<***>"
    for begin in range(0, len(token) - 11, 97):
        assert "***" in hidden.hide_text(f"<{token[begin : begin + 11]}>")


ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "quotes escaped": lambda text: text.replace("'", "\\'").replace('"', '\\"'),
    "escaped twice": lambda text: text.replace("'", "\\\\'").replace('"', '\\\\"'),
    "quotes doubled": lambda text: text.replace("'", "''").replace('"', '""'),
    "zero-width spaces": "\u200b".join,
    "soft hyphens and joiners": "\u00ad\u2060".join,
    "spaced": " ".join,
    "no-break spaces": "\xa0".join,
    "NUL between": "\0".join,
    "folded": lambda text: "\r\n ".join(text[at : at + 4] for at in range(0, len(text), 4)),
    "reordered for the eye": lambda text: f"\u202e{text}\u202c",
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "for a shell": shlex.quote,
    "for a URL": quote,
    "for HTML": html.escape,
    "base64 in lines": lambda text: "\r\n".join(base64.b64encode(text.encode()).decode()[at : at + 9] for at in range(0, 40, 9)),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 cut off": lambda text: base64.b64encode(text.encode()).decode()[:9],
    "base64 cut off in front": lambda text: base64.b64encode(text.encode()).decode().rstrip("=")[7:],
    "hexadecimal": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("secret", ["hun'ter2\"Canary?>", "pass word/with+signs", "Stra\u00dfenbahn-42\u00fc"])
def test_an_escaping_of_another_kind_does_not_show_it(escape: str, secret: str) -> None:
    """No more than five characters together are shown, once what stands between them is left out."""
    told = ESCAPES[escape](secret)
    for found in (Hidden(secret).hide_text(f"< {told} >"), Hidden(secret).hide(f"< {told} >".encode()).decode()):
        assert "***" in found
        left = re.sub(r"[^\w?>/+-]|\\", "", found)
        whole = re.sub(r"[^\w?>/+-]", "", secret)
        assert not any(whole[at : at + 6] in left for at in range(len(whole) - 5))
    assert Hidden(secret).hide_text("user unknown, try again; see UID 12345") == "user unknown, try again; see UID 12345"


@pytest.mark.parametrize("secret", ["abc", "x1y", "12345"])
def test_of_a_short_secret_only_the_whole_is_hidden(secret: str) -> None:
    hidden = Hidden(secret)
    assert hidden.hide_text(f"got {secret}.") == "got ***."
    assert hidden.hide_text(f"got {secret[:-1]}. and {secret[1:]}!") == f"got {secret[:-1]}. and {secret[1:]}!"


def test_the_hashes_are_bounded_and_cost_depends_on_the_text_alone() -> None:
    """As many challenges and exchanges as a server likes: numbers of the last few are kept, and no secret."""
    hidden = Hidden()
    sizes = []
    for exchange in range(20):
        hidden.begin(f"password-{exchange}-{'x' * 20}")
        for challenge in range(100):
            hidden.add_response(base64.b64encode(f"me {os.urandom(16).hex()} {challenge}".encode()))
        sizes.append(sum(map(len, hidden._known.values())))
    assert sizes[-1] < 1.1 * sizes[4]
    assert sizes[-1] < 20_000
    assert len(hidden._known) <= 4, "a bounded number of passes over a text"
    assert hidden.hide_text("password-19-xx") == hidden.hide_text("password-16-xx") == "***"
    values: list[Any] = [hidden._known, *hidden._exchanges]
    for value in values:
        values += value if isinstance(value, (list, tuple, deque)) else value.values() if isinstance(value, dict) else ()
    assert not [value for value in values if isinstance(value, (str, bytes))]


def test_one_thread_hides_while_another_one_adds() -> None:
    hidden, done = Hidden("a first secret"), threading.Event()

    def add() -> None:
        for i in range(300):
            hidden.begin(f"secret number {i}")
            hidden.add_response(base64.b64encode(b"\0me\0%d" % i * 9))
        done.set()

    thread = threading.Thread(target=add)
    thread.start()
    while not done.is_set():
        assert hidden.hide_text("an ordinary line") == "an ordinary line"
        hidden.hide(b"told secret number 1")
    thread.join()


def test_short_secrets_do_not_hide_every_text() -> None:
    hidden = Hidden("a", b"bc", "", None, 5)
    assert not hidden
    assert hidden.hide_text("abc") == "abc"
