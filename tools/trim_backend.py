"""The build backend of imapkit: hatchling's, and ``imapkit trim`` where the build's settings ask for it.

    pip wheel . --config-settings families=rev1,idle --config-settings without=testing
    python -m build --config-setting families=rev1,idle

It is in the tree (``backend-path`` in pyproject.toml), in source distributions too, and needs hatchling alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatchling import build as hatchling

from imapkit.cli.trim import names, trim

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

# There is no prepare_metadata_for_build_wheel: entry points are metadata, and only a trimmed wheel shows its own.
get_requires_for_build_editable = hatchling.get_requires_for_build_editable
get_requires_for_build_sdist = hatchling.get_requires_for_build_sdist
get_requires_for_build_wheel = hatchling.get_requires_for_build_wheel

Settings = Mapping[str, Any] | None


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build the wheel; with the setting ``families`` one of just these. Raises ``TrimError`` or ValueError."""
    families, without = _wanted(config_settings)
    if families is None:
        return hatchling.build_wheel(wheel_directory)
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, hatchling.build_wheel(place))
        return trim(whole, families, without=without, directory=Path(wheel_directory), overwrite=True).path.name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Build the source distribution, which is always whole: what is said of families is for the wheel made from it."""
    _wanted(config_settings)
    return hatchling.build_sdist(sdist_directory)


def build_editable(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build what an editable installation needs. Raises ValueError for families: the source tree has them all."""
    if _wanted(config_settings)[0] is not None:
        raise ValueError("an editable installation has all families: IMAPKIT_PLUGINS switches some of them off")
    return hatchling.build_editable(wheel_directory)


def _wanted(settings: Settings) -> tuple[list[str] | None, list[str]]:
    """The families to keep (None: all of them) and the parts to leave out. Raises ValueError for unknown settings."""
    given = {name: list(_texts(value)) for name, value in (settings or {}).items() if not name.startswith("--")}
    if unknown := sorted(given.keys() - {"families", "without"}):
        raise ValueError(f"imapkit: there is no setting {', '.join(map(repr, unknown))}; there are: families, without")
    if "without" in given and "families" not in given:
        raise ValueError("imapkit: the setting 'without' needs 'families'")
    return names(given["families"]) if "families" in given else None, names(given.get("without", ()))


def _texts(value: Any) -> Iterator[str]:
    """The texts of a setting, which frontends repeat as a list."""
    yield from (value,) if isinstance(value, str) else value or ()
