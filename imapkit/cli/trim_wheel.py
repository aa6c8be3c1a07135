"""A wheel in memory: checked when it is read, and written with its own RECORD and the same bytes every time.

The format is that of the packaging specifications (binary distribution format, recording installed projects). This module needs
the standard library alone: the build of imapkit uses it before anything is installed.

A wheel may be hostile. Its sizes are bounded before and while it is read (``MOST``, ``MOST_BYTES``, ``MOST_FILES``), errors
escape every text from it, and writing follows no link.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from imapkit.core.support.shown import shown

__all__ = ["MOST", "MOST_BYTES", "MOST_FILES", "TrimError", "Wheel", "entry_points", "read", "render", "write"]

MOST = 1 << 20
"""The most bytes of one file of a wheel; imapkit's largest has some 30,000."""
MOST_BYTES = 16 << 20
"""The most bytes of a wheel, and of all its files together."""
MOST_FILES = 5000
_CHUNK = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""The exceptions of zipfile for a file that is no archive, is damaged, or is encrypted."""


class TrimError(Exception):
    """A wheel cannot be trimmed as asked; nothing was written. The text is one line, escaped, as it may quote the wheel."""

    def __init__(self, text: str) -> None:
        super().__init__(shown(" ".join(text.split("\n"))))


@dataclass
class Wheel:
    """A wheel's files by their paths, in the archive's order, without RECORD; ``info`` is its ``.dist-info`` directory.

    ``stamps`` has the date and the mode of each file, as in the archive.
    """

    path: Path
    info: str
    files: dict[str, bytes]
    stamps: dict[str, zipfile.ZipInfo]

    @property
    def record(self) -> str:
        """The path of RECORD."""
        return f"{self.info}/RECORD"

    def text(self, path: str) -> str:
        """A file's text. Raises ``TrimError``."""
        try:
            return self.files[path].decode("utf-8")
        except UnicodeDecodeError as exc:
            raise TrimError(f"{self.path}: {path} is not UTF-8: {exc}") from exc


def read(path: Path, distribution: str) -> Wheel:
    """Read a wheel of ``distribution``. Raises ``TrimError`` if it is no wheel, another distribution's, damaged or too large."""
    if not path.is_file():
        raise TrimError(f"{path}: no such file")
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise TrimError(f"{path}: not a wheel: its name must be NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
    if path.stat().st_size > MOST_BYTES:
        raise TrimError(f"{path}: too large: more than {MOST_BYTES} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            _check_sizes(path, members)
            stamps = {info.filename: info for info in members}
            files = {name: _contents(path, archive, info) for name, info in stamps.items()}
    except _BROKEN as exc:
        raise TrimError(f"{path}: not a wheel, or a damaged one: {exc}") from exc
    repeated = len(members) - len(stamps)
    wheel = Wheel(path, f"{named['name']}-{named['version']}.dist-info", files, stamps)
    _check_whose(wheel, distribution)
    if repeated:
        raise TrimError(f"{path}: damaged: it has {repeated} of its files twice")
    _check_record(wheel)
    del files[wheel.record]
    return wheel


def _check_sizes(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Check the sizes that the archive states for its files, before any is read; ``_contents`` checks each against them."""
    if len(members) > MOST_FILES:
        raise TrimError(f"{path}: too large: more than {MOST_FILES} files")
    for info in members:
        if info.file_size > MOST:
            raise TrimError(f"{path}: too large: {info.filename} has more than {MOST} bytes")
        if info.compress_type not in _METHODS:
            raise TrimError(f"{path}: not a wheel: {info.filename} is not compressed with deflate")
    if sum(info.file_size for info in members) > MOST_BYTES:
        raise TrimError(f"{path}: too large: its files have more than {MOST_BYTES} bytes")


def _contents(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A file's bytes, read piece by piece."""
    pieces: list[bytes] = []
    left = info.file_size
    with archive.open(info) as member:
        while piece := member.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise TrimError(f"{path}: damaged: {info.filename} has more bytes than the archive states")
            pieces.append(piece)
    if left:
        raise TrimError(f"{path}: damaged: {info.filename} has fewer bytes than the archive states")
    return b"".join(pieces)


def _check_whose(wheel: Wheel, distribution: str) -> None:
    for needed in ("METADATA", "WHEEL", "RECORD"):
        if f"{wheel.info}/{needed}" not in wheel.files:
            raise TrimError(f"{wheel.path}: not a wheel: it has no {wheel.info}/{needed}")
    name = str(BytesParser().parsebytes(wheel.files[f"{wheel.info}/METADATA"], headersonly=True)["Name"])
    if re.sub(r"[-_.]+", "-", name).lower() != distribution:
        raise TrimError(f"{wheel.path}: a wheel of {name}, not of {distribution}")
    version = BytesParser().parsebytes(wheel.files[f"{wheel.info}/WHEEL"], headersonly=True)["Wheel-Version"]
    if not re.fullmatch(r"1\.\d+", str(version)):
        raise TrimError(f"{wheel.path}: a wheel of version {version}; only 1.x is supported")


def _check_record(wheel: Wheel) -> None:
    """Raise ``TrimError`` unless RECORD lists every file with its digest and size, and no other."""
    wrong = [path for path in wheel.files if path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path]
    if wrong:
        raise TrimError(f"{wheel.path}: damaged: {wrong[0]!r} is outside of it")
    try:
        listed = {row[0]: tuple(row[1:]) for row in csv.reader(wheel.text(wheel.record).splitlines()) if row}
    except csv.Error as exc:
        raise TrimError(f"{wheel.path}: damaged: {wheel.record}: {exc}") from exc
    # The signatures of a RECORD cannot be listed in it.
    unlisted = {wheel.record, f"{wheel.record}.jws", f"{wheel.record}.p7s"}
    for path, data in wheel.files.items():
        if path in unlisted:
            continue
        if path not in listed:
            raise TrimError(f"{wheel.path}: damaged: RECORD does not list {path}")
        if listed[path] != (_digest(data), str(len(data))):
            raise TrimError(f"{wheel.path}: damaged: {path} differs from RECORD")
    if gone := sorted(listed.keys() - wheel.files.keys()):
        raise TrimError(f"{wheel.path}: damaged: RECORD lists {gone[0]}, which is missing")


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def write(wheel: Wheel, path: Path, *, overwrite: bool = False) -> None:
    """Write a wheel to ``path``, completely or not, and through no link.

    Raises ``TrimError`` if ``path`` exists (unless ``overwrite``), or the temporary file next to it.
    """
    content = render(wheel)
    if os.path.lexists(path) and not overwrite:
        raise TrimError(f"{path} exists already: remove it, or name another directory with -o")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        # O_EXCL creates a new file or fails; it follows no link, not even a dangling one.
        made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except FileExistsError:
        raise TrimError(f"{part} exists already, and is needed while {path.name} is written: remove it") from None
    try:
        with open(made, "wb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def render(wheel: Wheel) -> bytes:
    """The bytes of a wheel, which depend on its files alone, not on the time or the machine."""
    unsigned = {path: data for path, data in wheel.files.items() if not path.startswith(f"{wheel.record}.")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**unsigned, wheel.record: _record(wheel, unsigned)}.items():
            archive.writestr(_stamp(wheel.stamps[path]), data)
    return buffer.getvalue()


def _record(wheel: Wheel, files: dict[str, bytes]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows((path, _digest(data), len(data)) for path, data in files.items())
    rows.writerow((wheel.record, "", ""))
    return text.getvalue().encode()


def _stamp(old: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(old.filename, old.date_time)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = old.external_attr
    info.create_system = old.create_system
    return info


def entry_points(wheel: Wheel) -> dict[str, dict[str, str]]:
    """The wheel's entry points, by group and name, in their order. Raises ``TrimError``."""
    path = f"{wheel.info}/entry_points.txt"
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(wheel.text(path) if path in wheel.files else "")
    except IniError as exc:
        raise TrimError(f"{wheel.path}: damaged: {path}: {exc}") from exc
    return {group: dict(parser[group]) for group in parser.sections()}
