"""The tests of IMAPClient and imap_tools that do not pass with imapkit in imaplib's place, and why.

A test that is named here and passes is an error, too. ``THEIRS``: it fails on imaplib as well, which the tests look at.
docs/differences.md shows all of them.
"""

from __future__ import annotations

LAYER = (
    "after STARTTLS `sock` is no `ssl.SSLSocket`: TLS is a layer between two threads, and shows the same certificate and context"
)
THEIRS = "fails on imaplib, too: "
_LACKS = "skipped: Dovecot has no "

IMAPCLIENT_OFFLINE = {"tests.test_starttls_integration.StarttlsSocketTests.test_starttls_with_default_context": LAYER}

_LIVE = "imapclient.livetest."
IMAPCLIENT_LIVE = {
    _LIVE + "TestGeneral.test_xlist": _LACKS + "XLIST",
    _LIVE + "TestWithUIDs.test_gmail_labels": _LACKS + "labels of Gmail's",
    _LIVE + "TestWithUIDs.test_gmail_search": _LACKS + "search of Gmail's",
    _LIVE + "TestWithoutUIDs.test_gmail_labels": _LACKS + "labels of Gmail's",
    _LIVE + "TestWithoutUIDs.test_gmail_search": _LACKS + "search of Gmail's",
    _LIVE + "TestWithoutUIDs.test_uid_expunge": "skipped: it is for UIDs alone",
    _LIVE + "TestWithUIDs.test_fetch": THEIRS + "it takes IMAPClient's `Envelope` for a sequence, which that no longer is",
    _LIVE + "TestWithoutUIDs.test_fetch": THEIRS + "it takes IMAPClient's `Envelope` for a sequence, which that no longer is",
    _LIVE + "TestWithUIDs.test_getacl": THEIRS + "it takes its own configuration for a mapping",
    _LIVE + "TestWithoutUIDs.test_getacl": THEIRS + "it takes its own configuration for a mapping",
}
IMAPCLIENT_TIMING = {
    _LIVE
    + "TestSocketTimeout.test_small_connection_timeout_fail": "it wants a connection within this machine to take a millisecond",
    _LIVE + "TestSocketTimeout.test_small_read_timeout_fail": "it wants an answer within this machine to take 10 microseconds",
}
"""Of these either outcome is right: they depend on how fast the machine is."""

IMAP_TOOLS: dict[str, str] = {}
