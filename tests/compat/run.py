"""Run the scripts with one library and print what was recorded: ``python -m tests.compat.run LIBRARY SETTING``.

``SETTING`` is a JSON file: what ``Setting`` reads. A process of its own, because imaplib2 uses what is deprecated, and leaves
threads behind.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.compat import families, scripts, sessions
from tests.compat.recorder import Abandoned, Recorder, Setting

Script = Callable[[Recorder], None]
MODULES = (families, sessions, scripts)


def wanted(library: str, server: str) -> Iterator[tuple[str, Script]]:
    """The scripts that this library and this server can run, by name."""
    for module in MODULES:
        for name, (script, servers, stdlib) in module.SCRIPTS.items():
            if server in servers and (stdlib or library != "imaplib"):
                yield name, script


def record(script: Script, library: str, setting: Setting) -> list[dict[str, Any]]:
    """What this library does with the script."""
    recorder = Recorder(library, setting)
    try:
        script(recorder)
    except Abandoned:
        pass
    return recorder.steps


def main(library: str, path: str, *names: str) -> None:
    """Print what was recorded, as JSON: a list of steps for each script."""
    with open(path, encoding="utf-8") as file:
        setting = Setting(json.load(file))
    found = {
        name: record(script, library, setting) for name, script in wanted(library, setting.server) if not names or name in names
    }
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    # imaplib2's threads may wait for ever, and a library that hangs is recorded already.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
