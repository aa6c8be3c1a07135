"""The sdists of IMAPClient and imap_tools: fetched by pip into a cache, and unpacked where a test wants them.

The cache is $IMAPKIT_SUITES_ROOT, or ~/.cache/imapkit-test-servers/suites. What an sdist lacks of its tests (a base class, the
configuration of a mailbox, certificates) is put beside them; the tests themselves are run as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.servers import certs

HERE = Path(__file__).parent
IMAPCLIENT, IMAP_TOOLS = ("imapclient", "4.1.0"), ("imap_tools", "1.16.0")
SECONDS = 180


def cache_root() -> Path:
    """Where the sdists are kept."""
    named = os.environ.get("IMAPKIT_SUITES_ROOT")
    return Path(named) if named else Path.home() / ".cache" / "imapkit-test-servers" / "suites"


def missing(project: tuple[str, str]) -> str | None:
    """The reason why a project's sdist is missing, if it is."""
    if _archive(project).exists():
        return None
    cache_root().mkdir(parents=True, exist_ok=True)
    wanted = [f"{project[0]}=={project[1]}", "--no-deps", "--no-binary", ":all:", "--dest", str(cache_root())]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *wanted]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no sdist of {project[0]}: pip took more than {SECONDS} seconds"
    if done.returncode == 0 and _archive(project).exists():
        return None
    return f"no sdist of {project[0]} {project[1]}: pip download says {done.stderr.strip()[-500:]}"


def _archive(project: tuple[str, str]) -> Path:
    return cache_root() / "{}-{}.tar.gz".format(*project)


def unpack(project: tuple[str, str], place: Path) -> Path:
    """Unpack an sdist; the directory with the package, and its tests in ``tests``."""
    with tarfile.open(_archive(project)) as archive:
        archive.extractall(place, filter="data")
    directory = place / "{}-{}".format(*project)
    # What is installed has its version there, and IMAPClient looks.
    metadata = directory / "{}-{}.dist-info".format(*project)
    metadata.mkdir()
    shutil.copy(directory / "PKG-INFO", metadata / "METADATA")
    (directory / "tests" / "__init__.py").touch()
    return directory


def imapclient(place: Path) -> Path:
    """IMAPClient with all that its tests need."""
    directory = unpack(IMAPCLIENT, place)
    shutil.copy(HERE / "imapclient_base.py", directory / "tests" / "imapclient_test.py")
    made = place / "certificates"
    made.mkdir()
    all_of_them = certs.make(made)
    pem = directory / "tests" / "certs"
    pem.mkdir()
    shutil.copy(all_of_them.ca, pem / "ca.pem")
    shutil.copy(all_of_them.server.certificate, pem / "server.pem")
    shutil.copy(all_of_them.server.key, pem / "server.key")
    return directory


def imap_tools(place: Path) -> Path:
    """imap_tools with all that its tests need."""
    directory = unpack(IMAP_TOOLS, place)
    shutil.copy(HERE / "imap_tools_utils.py", directory / "tests" / "utils.py")
    return directory
