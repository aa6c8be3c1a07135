"""Which packages of which Debian suite the tests use beside those that the machine has installed."""

from __future__ import annotations

from .debian import Bundle

MAIL = ("vmail", 5000)
CYRUS = ("cyrus", 5003)
COURIER = ("courier", 5004)

DOVECOT24 = Bundle(
    "dovecot24",
    "trixie",
    packages=("dovecot-imapd", "dovecot-core", "zlib1g"),
    programs=("usr/sbin/dovecot", "usr/lib/dovecot/imap*", "usr/lib/dovecot/auth", "usr/lib/dovecot/modules/lib[0-9]*.so"),
    accounts=(MAIL, ("dovecot", 5001), ("dovenull", 5002)),
)
CYRUS_PACKAGES = ("cyrus-imapd", "cyrus-common", "sasl2-bin", "tzdata", "zlib1g")
CYRUS_PROGRAMS = (*(f"usr/lib/cyrus/bin/{name}" for name in ("master", "imapd", "idled", "ctl_cyrusdb")), "usr/sbin/saslpasswd2")
CYRUS310 = Bundle("cyrus310", "trixie", CYRUS_PACKAGES, CYRUS_PROGRAMS, accounts=(CYRUS,))
CYRUS312 = Bundle("cyrus312", "sid", CYRUS_PACKAGES, CYRUS_PROGRAMS, accounts=(CYRUS,))
COURIER_IMAP = Bundle(
    "courier",
    "trixie",
    packages=("courier-imap", "courier-base", "courier-authlib", "courier-authlib-userdb", "courier-authdaemon", "zlib1g"),
    programs=("usr/bin/imapd", "usr/bin/couriertls", "usr/sbin/couriertcpd", "usr/lib*/**/authdaemond"),
    accounts=(MAIL, COURIER),
)
PYTHON = Bundle(
    "python3.14",
    "sid",
    packages=("python3.14", "python3.14-minimal", "python3.14-venv", "python3-pip-whl", "python3-setuptools-whl", "libstdc++6",
              "zlib1g", "tzdata"),
    programs=("usr/bin/python3.14", "usr/lib/python3.14/lib-dynload/*.so"),
)  # fmt: skip
SERVERS = (DOVECOT24, CYRUS310, CYRUS312, COURIER_IMAP)
