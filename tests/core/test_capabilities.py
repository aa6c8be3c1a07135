from __future__ import annotations

import pytest

from imapkit.core.contract.family import Family
from imapkit.core.plugins.capabilities import CORE, serves, serving
from imapkit.core.plugins.claims import Plugin


@pytest.mark.parametrize(
    ("declared", "capability", "expected"),
    [
        ("IMAP4rev1", "IMAP4REV1", True),
        ("SORT", "sort", True),
        ("SORT", "SORT=DISPLAY", False),
        ("AUTH=*", "AUTH=PLAIN", True),
        ("auth=*", "AUTH=", True),
        ("AUTH=*", "AUTH", False),
        ("RIGHTS=*", "COPYRIGHTS=X", False),
        ("STATUS=SIZE", "STATUS=SIZE", True),
        ("*", "ANYTHING", True),
    ],
)
def test_by_name_or_by_what_comes_before_the_star(declared: str, capability: str, expected: bool) -> None:
    assert serves(declared, capability) is expected


def test_every_family_that_serves_a_capability_is_named() -> None:
    plugins = [Plugin(name, Family(name, capabilities=("X-*",)), "d", "1") for name in ("a", "b")]
    assert serving("X-GM-EXT-1", plugins) == ("a", "b")
    assert serving("IDLE", plugins) == ()


@pytest.mark.parametrize("capability", sorted(CORE))
def test_capabilities_that_the_core_serves(capability: str) -> None:
    assert serving(capability.lower(), ()) == ("core",)
