"""``tests/imapclient_test.py`` for IMAPClient's tests, whose sdist has none: a client on IMAPClient's own mock of imaplib."""

from __future__ import annotations

import unittest

from imapclient.testable_imapclient import TestableIMAPClient  # type: ignore[import-not-found, unused-ignore]


class IMAPClientTest(unittest.TestCase):
    """A test with a client that is connected to nothing."""

    def setUp(self) -> None:
        self.client = TestableIMAPClient()
