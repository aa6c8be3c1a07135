from __future__ import annotations

import pytest

from imapkit.core.contract.session import Session, State
from imapkit.plugin import Enable, Family, Numbering
from imapkit.testing.families import load_only


def test_the_beginning() -> None:
    session = Session()
    assert session.state is State.NONAUTH
    assert session.capabilities is None
    assert not session.has("IMAP4REV1")


def test_capabilities_are_upper_case_and_can_be_forgotten() -> None:
    session = Session()
    session.set_capabilities(["IMAP4rev1", "Idle"])
    assert session.capabilities == ("IMAP4REV1", "IDLE")
    assert session.has("idle")
    session.set_capabilities(["IMAP4rev1"])
    assert not session.has("IDLE")
    session.set_capabilities([])
    assert list(session.capabilities) == ["IMAP4REV1"]
    session.forget_capabilities()
    assert session.capabilities is None


@pytest.mark.parametrize("state", [State.NONAUTH, State.AUTH, State.LOGOUT])
def test_leaving_a_mailbox_forgets_it(state: State) -> None:
    session = Session()
    session.select("INBOX", readonly=True)
    session.exists = 3
    assert (session.state, session.mailbox, session.readonly) == (State.SELECTED, "INBOX", True)
    session.enter(state)
    assert session.state is state
    assert [session.mailbox, session.readonly, session.exists] == [None, False, None]


def test_read_only_is_news_once() -> None:
    session = Session()
    session.became_readonly()
    assert session.readonly_news is None, "no mailbox, no news"
    session.select("INBOX", readonly=False)
    session.became_readonly()
    assert session.readonly
    assert session.readonly_news is not None
    session.readonly_news = None
    session.became_readonly()
    assert session.readonly_news is None
    session.select("INBOX", readonly=True)
    session.became_readonly()
    assert session.readonly_news is None, "it was asked for"


@pytest.mark.parametrize(("before", "gone", "left"), [(5, 1, 4), (5, 3, 2), (2, 4_000_000_000, 0), (0, 1, 0), (None, 1, None)])
def test_messages_that_are_gone_are_no_longer_counted(before: int | None, gone: int, left: int | None) -> None:
    session = Session()
    session.exists = before
    session.remove_messages(gone)
    assert session.exists == left


def test_what_is_enabled_changes_what_its_family_declares() -> None:
    tables = load_only(
        Family(
            "one", enables=(Enable("qresync", implies=("condstore",)), Enable("UIDONLY", numbering=Numbering.ABSENT), "X-OLD")
        ),
        Family("two", enables=(Enable("UTF8=ACCEPT", utf8=True), Enable("QRESYNC", implies=("X-MORE",)))),
    )
    session = Session(tables.enables)
    session.ask_for(["QRESYNC", "X-OLD", "X-UNKNOWN"])
    session.enable(["Qresync", "X-OLD", "X-UNKNOWN", "UIDONLY"])
    assert session.enabled == {"QRESYNC", "CONDSTORE", "X-MORE", "X-OLD"}, "UIDONLY was not asked for"
    assert (session.utf8, session.numbering) == (False, Numbering.STABLE)
    session.switch_on(["UIDONLY", "UTF8=ACCEPT"])
    assert (session.utf8, session.numbering) == (True, Numbering.ABSENT)
    session.switch_all_off()
    assert (session.enabled, session.utf8, session.numbering) == (frozenset(), False, Numbering.STABLE)
