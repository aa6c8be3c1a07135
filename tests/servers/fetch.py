"""Get the IMAP servers, and the Python, that the tests use and the machine has not installed.

    python3 -m tests.servers.fetch                    all of them, prints where each one is
    python3 -m tests.servers.fetch dovecot24 courier  only these

Goes to $IMAPKIT_SERVERS_ROOT, else ~/.cache/imapkit-test-servers; nothing outside is touched, and what is there stays:
remove a directory to get it again.  Needs no root, no virtual environment and no package but apt, dpkg and tar.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from . import bundles, installed_cyrus, interpreter

SOURCES: dict[str, Callable[[], Path]] = {
    "cyrus": installed_cyrus.fetch,
    **{bundle.name: bundle.fetch for bundle in bundles.SERVERS},
    bundles.PYTHON.name: interpreter.fetch,
}


def main(names: list[str]) -> str | None:
    """Fetch what is named, each whether or not another one fails; returns what failed, for `sys.exit`."""
    failures = []
    for name in names or SOURCES:
        try:
            print(name, SOURCES[name](), flush=True)
        except KeyError:
            failures.append(f"no server {name}: there are {', '.join(SOURCES)}")
        except (OSError, subprocess.CalledProcessError) as error:
            failures.append(f"{name} is not to be had: {error} {getattr(error, 'stderr', None) or ''}")
    return "\n".join(failures) or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
