"""What NO means, by its response code: RFC 3501 section 7.1, RFC 5530 and RFC 9051 section 7.1.

A typed command that is answered NO raises the class that a family declares for the code (``Code.raises``), else ``NoResponse``::

    NoResponse
    ├── LoginRefused
    │   ├── AuthenticationFailed    AUTHENTICATIONFAILED
    │   ├── AuthorizationFailed     AUTHORIZATIONFAILED
    │   ├── Expired                 EXPIRED
    │   └── PrivacyRequired         PRIVACYREQUIRED
    ├── NonExistent                 NONEXISTENT
    │   └── TryCreate               TRYCREATE
    ├── AlreadyExists               ALREADYEXISTS
    ├── HasChildren                 HASCHILDREN
    ├── NoPermission                NOPERM
    ├── InUse                       INUSE
    ├── ExpungeIssued               EXPUNGEISSUED
    ├── OverQuota                   OVERQUOTA
    ├── LimitReached                LIMIT
    │   └── TooBig                  TOOBIG
    ├── Cannot                      CANNOT
    ├── BadCharset                  BADCHARSET
    ├── UnknownEncoding             UNKNOWN-CTE
    ├── NotSaved                    NOTSAVED
    ├── Unavailable                 UNAVAILABLE
    ├── ContactAdmin                CONTACTADMIN
    ├── Corruption                  CORRUPTION
    ├── ServerBug                   SERVERBUG
    └── ClientBug                   CLIENTBUG

Each has ``command``, ``text``, ``code``, ``value`` and ``data``, as ``NoResponse`` does. The raw commands (``IMAP4``) return NO,
or raise ``CommandNo``.
"""

from __future__ import annotations

from imapkit.errors import NoResponse

__all__ = [
    "AlreadyExists",
    "AuthenticationFailed",
    "AuthorizationFailed",
    "BadCharset",
    "Cannot",
    "ClientBug",
    "ContactAdmin",
    "Corruption",
    "Expired",
    "ExpungeIssued",
    "HasChildren",
    "InUse",
    "LimitReached",
    "LoginRefused",
    "NoPermission",
    "NonExistent",
    "NotSaved",
    "OverQuota",
    "PrivacyRequired",
    "ServerBug",
    "TooBig",
    "TryCreate",
    "Unavailable",
    "UnknownEncoding",
]


class LoginRefused(NoResponse):
    """The server did not let the user in."""


class AuthenticationFailed(LoginRefused):
    """The user or the password is wrong, or the server does not say which: AUTHENTICATIONFAILED, RFC 5530 section 3."""


class AuthorizationFailed(LoginRefused):
    """The password is right, but this user may not act as the other one: AUTHORIZATIONFAILED, RFC 5530 section 3."""


class Expired(LoginRefused):
    """The password or the ticket is no longer valid, and the user must get a new one: EXPIRED, RFC 5530 section 3."""


class PrivacyRequired(LoginRefused):
    """The server lets users in with TLS only: PRIVACYREQUIRED, RFC 5530 section 3."""


class NonExistent(NoResponse):
    """There is no such mailbox: NONEXISTENT, RFC 5530 section 3."""


class TryCreate(NonExistent):
    """There is no such mailbox, and it can be created: TRYCREATE, RFC 3501 section 7.1."""


class AlreadyExists(NoResponse):
    """A mailbox of that name exists already: ALREADYEXISTS, RFC 5530 section 3."""


class HasChildren(NoResponse):
    """The mailbox has others below it, and cannot be deleted: HASCHILDREN, RFC 9051 section 7.1."""


class NoPermission(NoResponse):
    """The user may not do that: NOPERM, RFC 5530 section 3."""


class InUse(NoResponse):
    """Another connection is using the mailbox; the same call may succeed later: INUSE, RFC 5530 section 3."""


class ExpungeIssued(NoResponse):
    """Another connection has expunged some of the messages: EXPUNGEISSUED, RFC 5530 section 3."""


class OverQuota(NoResponse):
    """The user has used up a quota, or would do so by this call: OVERQUOTA, RFC 5530 section 3."""


class LimitReached(NoResponse):
    """The call would exceed a limit of the server: LIMIT, RFC 5530 section 3."""


class TooBig(LimitReached):
    """The message is larger than the server allows: TOOBIG, RFC 4469 section 5, RFC 7889 section 4."""


class Cannot(NoResponse):
    """The server can never do that, such as create a mailbox of this name: CANNOT, RFC 5530 section 3."""


class BadCharset(NoResponse):
    """The server cannot search text of this charset; ``value`` holds those that it can, if it says: BADCHARSET, RFC 3501."""


class UnknownEncoding(NoResponse):
    """The server cannot decode the part of a message: UNKNOWN-CTE, RFC 9051 section 7.1."""


class NotSaved(NoResponse):
    """The result of the search could not be saved: NOTSAVED, RFC 9051 section 7.1."""


class Unavailable(NoResponse):
    """A part of the server is down for now, and the same call may succeed later: UNAVAILABLE, RFC 5530 section 3."""


class ContactAdmin(NoResponse):
    """The user should tell the administrator of the server: CONTACTADMIN, RFC 5530 section 3."""


class Corruption(NoResponse):
    """The server found that its data is damaged: CORRUPTION, RFC 5530 section 3."""


class ServerBug(NoResponse):
    """The server found a mistake in itself: SERVERBUG, RFC 5530 section 3."""


class ClientBug(NoResponse):
    """The server finds that the client did what makes no sense: CLIENTBUG, RFC 5530 section 3."""
