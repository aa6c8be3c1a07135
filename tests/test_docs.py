"""Every Python block of README.md and docs/ runs, and what the READMEs of the examples show is what their files say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROJECT = ROOT / "docs" / "testing.md"
"""Its blocks are the files of a project: tests/testing/test_page.py runs that."""
REFERENCES = {ROOT / "docs" / "reference.md", ROOT / "docs" / "contract.md"}
"""Made from docstrings, whose blocks show and do not run: tests/test_reference.py holds them fresh."""
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(set((ROOT / "docs").glob("*.md")) - {PROJECT} - REFERENCES)]
EXAMPLES = sorted((ROOT / "plugins-example").glob("*/README.md"))
SUBJECTS = ["hello world", "something else", "again: hello world"]


def here(code: str, port: int) -> str:
    """An example that talks to the server at ``port``, instead of one at the usual port."""
    return code.replace('IMAP4("localhost", 143', f'IMAP4("localhost", {port}')


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The blocks of a page in one language, with the line each begins at."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, found.start(2)) + 1, found[2]) for found in BLOCK.finditer(text) if found[1] == language]


SHOWN = [
    pytest.param(page, line, code, id=f"{page.relative_to(ROOT)}:{line}")
    for page in PAGES
    for line, code in blocks(page, "python")
]
QUOTED = [
    pytest.param(page.parent, language, code, id=f"{page.parent.name}:{line}")
    for page in EXAMPLES
    for language in ("python", "toml")
    for line, code in blocks(page, language)
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with the user tester (password: secret), whose INBOX holds three messages."""
    pytest.importorskip("pymap", reason="no pymap here: pip install 'imapkit[demo]'")
    from imapkit import IMAP4
    from imapkit.cli.mailhost import running

    with running({"tester": "secret"}) as host:
        with IMAP4(host.host, host.port) as imap:
            imap.login("tester", "secret")
            for subject in SUBJECTS:
                assert imap.append("INBOX", None, None, f"Subject: {subject}\r\n\r\nhello\r\n")[0] == "OK"
        yield host.port


@pytest.mark.live
@pytest.mark.parametrize(("page", "line", "code"), SHOWN)
def test_block_runs(page: Path, line: int, code: str, port: int) -> None:
    # Line numbers in a traceback are the page's own.
    program = compile("\n" * (line - 1) + here(code, port), str(page), "exec", dont_inherit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(program, {"__name__": "__main__"})


@pytest.mark.live
def test_readme_prints_what_it_says(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The comments of the first block and of the one about errors are what is printed there."""
    checked = 0
    for _, code in blocks(PAGES[0], "python"):
        exec(compile(here(code, port), "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})
        printed = capsys.readouterr().out.splitlines()
        for said in re.findall(r"print\(.*\)\s+# (.*)$", code, re.MULTILINE):
            assert said in printed
            checked += 1
    assert checked >= 3


def test_there_is_something_to_run() -> None:
    assert len(SHOWN) >= 4
    assert len(QUOTED) >= 5


@pytest.mark.parametrize(("package", "language", "code"), QUOTED)
def test_examples_show_their_own_files(package: Path, language: str, code: str) -> None:
    suffix = {"python": "py", "toml": "toml"}[language]
    files = [path.read_text(encoding="utf-8") for path in package.rglob(f"*.{suffix}")]
    assert files
    assert any(code in text for text in files)
