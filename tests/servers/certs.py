"""Certificates for TLS tests, made with the openssl program: good, expired, for a wrong host, from another CA."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .base import ServerFailure, program

LOCAL_NAMES = "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1"
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
DAY = timedelta(days=1)

CA_CONF = """\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = issuing
[issuing]
database = {database}
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
organizationName = optional
commonName = supplied
"""

LEAF_CONF = """\
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {purpose}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """What ``make`` wrote.  All but ``other_ca`` is issued by ``ca``."""

    ca: Path
    other_ca: Path
    server: Pair
    expired: Pair
    wrong_host: Pair
    client: Pair


def make(directory: Path) -> Certificates:
    """Make two unrelated CAs and, from the first, certificates: server, expired, wrong_host, client."""
    ca, other_ca = _authority(directory, "ca"), _authority(directory, "other-ca")
    now = datetime.now(UTC)
    return Certificates(
        ca=ca.certificate,
        other_ca=other_ca.certificate,
        server=_leaf(directory, "server", "serverAuth", LOCAL_NAMES, now + 365 * DAY),
        expired=_leaf(directory, "expired", "serverAuth", LOCAL_NAMES, now - DAY),
        wrong_host=_leaf(directory, "wrong-host", "serverAuth", "DNS:imap.example.org", now + 365 * DAY),
        client=_leaf(directory, "client", "clientAuth", "email:tester@localhost", now + 365 * DAY),
    )


def _authority(directory: Path, name: str) -> Pair:
    pair = _pair(directory, name)
    conf, database = directory / f"{name}.cnf", directory / f"{name}.index"
    conf.write_text(CA_CONF.format(database=database, directory=directory))
    database.touch()
    subject = f"/O=imapkit tests/CN={name}"
    _openssl("req", "-x509", *CURVE, "-config", conf, "-extensions", "authority", "-subj", subject, "-days", "3650",
             "-keyout", pair.key, "-out", pair.certificate)  # fmt: skip
    return pair


def _leaf(directory: Path, name: str, purpose: str, names: str, until: datetime) -> Pair:
    pair, request, extensions = _pair(directory, name), directory / f"{name}.csr", directory / f"{name}.ext"
    extensions.write_text(LEAF_CONF.format(purpose=purpose, names=names))
    conf = directory / "ca.cnf"
    _openssl("req", "-new", *CURVE, "-config", conf, "-subj", f"/O=imapkit tests/CN={name}", "-keyout", pair.key,
             "-out", request)  # fmt: skip
    # `openssl ca` and not `openssl x509`, because only the former sets both dates in every openssl since 1.1.
    _openssl("ca", "-batch", "-notext", "-config", conf, "-cert", directory / "ca.pem", "-keyfile",
             directory / "ca.key", "-extfile", extensions, "-startdate", _stamp(until - 400 * DAY), "-enddate",
             _stamp(until), "-in", request, "-out", pair.certificate)  # fmt: skip
    return pair


def _pair(directory: Path, name: str) -> Pair:
    return Pair(directory / f"{name}.pem", directory / f"{name}.key")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%SZ")


def _openssl(*arguments: str | Path) -> None:
    argv = [program("openssl") or "openssl", *map(str, arguments)]
    # OPENSSL_CONF and the like stay out: the files named here say all.
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env={"PATH": os.defpath})
    if done.returncode:
        raise ServerFailure(f"{' '.join(argv)}\n{done.stderr}")
