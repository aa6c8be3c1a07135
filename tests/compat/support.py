"""Running the scripts: every library on every server, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers import dovecot as dovecot_server
from tests.servers.base import Kind, Server
from tests.servers.cyrus import CYRUS36

__all__ = ["ROOT", "SERVERS", "USERS", "Records", "Told", "recorded"]

ROOT = Path(__file__).parents[2]
# Names of one length: every answer is as long for each user.
USERS = {"imaplib2": "u00", "imapkit": "u01", "imaplib": "u02"}
SERVERS: dict[str, Kind] = {"dovecot": dovecot_server, "cyrus": CYRUS36}
Records = dict[str, list[dict[str, Any]]]
Told = Callable[[str, str], Records]


def command(library: str, setting: Path) -> list[str]:
    """imaplib2 uses what is deprecated; imapkit may not."""
    warnings = ["-W", "ignore" if library == "imaplib2" else "error"]
    return [sys.executable, *warnings, "-m", "tests.compat.run", library, str(setting)]


def recorded(library: str, server: Server, directory: Path, other_cafile: str) -> Records:
    """Run every script with one library on one server."""
    told = {
        "server": server.name, "host": server.host, "port": server.port, "tls_port": server.tls_port, "cafile": server.cafile,
        "other_cafile": other_cafile, "user": USERS[library], "directory": str(directory),
        "stream": server.stream_command(USERS[library]) if server.stream_command else None,
    }  # fmt: skip
    setting, output = directory / f"{library}-{server.name}.json", directory / f"{library}-{server.name}.recorded"
    setting.write_text(json.dumps(told))
    with output.open("wb") as file:
        done = subprocess.run(command(library, setting), cwd=ROOT, stdout=file, stderr=subprocess.PIPE, timeout=110)
    assert done.returncode == 0, f"{library} on {server.name}:\n{done.stderr[-4000:].decode(errors='replace')}"
    found: Records = json.loads(output.read_bytes())
    return found
