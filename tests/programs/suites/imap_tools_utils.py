"""``tests/utils.py`` for imap_tools' tests, whose sdist has none: which mailboxes there are. They come from the environment.

IMAP_HOST, IMAP_TLS_PORT, IMAP_CAFILE, IMAP_USER and IMAP_PASSWORD name a server with TLS.
``MailBox`` is called with a host alone, so the port and the authority are its defaults here.
"""

from __future__ import annotations

import os
import ssl
import unittest
from typing import Any

from imap_tools import MailBox  # type: ignore[import-not-found, unused-ignore]

TEST_MAILBOX_NAME_SET = {"DOVECOT"}

MailBox.__init__.__defaults__ = (
    "", int(os.environ["IMAP_TLS_PORT"]), None, None, None, ssl.create_default_context(cafile=os.environ["IMAP_CAFILE"])
)  # fmt: skip


def get_test_mailbox_config(name: str) -> dict[str, str]:
    """The address of the mailbox and its account."""
    return {"host": os.environ["IMAP_HOST"], "email": os.environ["IMAP_USER"], "password": os.environ["IMAP_PASSWORD"]}


def get_test_mailbox(name: str) -> Any:
    """A mailbox that is logged in, with the names of the folders that the tests use."""
    config = get_test_mailbox_config(name)
    mailbox: Any = MailBox(config["host"]).login(config["email"], config["password"])
    mailbox.mailbox_name, mailbox.folder_test = name, "test"
    for folder in ("base", "temp1", "temp2"):
        setattr(mailbox, f"folder_test_{folder}", f"test/{folder}")
    # A Maildir has a "new" of its own.
    mailbox.folder_test_new, mailbox.folder_test_new1 = "test/fresh", "test/fresh1"
    return mailbox


class MailboxTestCase(unittest.TestCase):
    """A test with all mailboxes."""

    def setUp(self) -> None:
        self.mailbox_set = {name: get_test_mailbox(name) for name in TEST_MAILBOX_NAME_SET}

    def tearDown(self) -> None:
        for mailbox in self.mailbox_set.values():
            mailbox.logout()
