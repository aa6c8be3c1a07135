from __future__ import annotations

import re

import pytest

from imapkit.core.support.patterns import late_pattern


def test_a_late_pattern_does_what_a_pattern_does() -> None:
    late, usual = late_pattern(rb"(?P<a>x)(y)?", re.IGNORECASE), re.compile(rb"(?P<a>x)(y)?", re.IGNORECASE)
    for _ in range(2):
        assert late.findall(b"Xyx") == usual.findall(b"Xyx")
        assert late.sub(b"-", b"axyb") == usual.sub(b"-", b"axyb")
        assert (late.pattern, late.flags, late.groups) == (usual.pattern, usual.flags, usual.groups)
    found = late.match(b"aXY", 1)
    assert found is not None
    assert (found["a"], found.end()) == (b"X", 3)


def test_it_is_compiled_when_it_is_first_used() -> None:
    broken = late_pattern("(")
    for _ in range(2):
        with pytest.raises(re.error):
            broken.match("")
    with pytest.raises(AttributeError):
        late_pattern("a").unknown  # type: ignore[attr-defined] # noqa: B018


def test_only_what_is_used_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    compile_ = re.compile

    def noted(pattern: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(pattern)
        return compile_(pattern, flags)

    late = late_pattern("a")
    monkeypatch.setattr(re, "compile", noted)
    assert not compiled
    assert late.fullmatch("a")
    assert late.fullmatch("a")
    assert compiled == ["a"]
