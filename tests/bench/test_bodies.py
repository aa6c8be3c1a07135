"""Large messages by the typed API take little memory, both ways."""

from __future__ import annotations

import pytest

from bench.bodies import needed

SIZE = 64_000_000


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_a_large_message_is_never_in_memory() -> None:
    for name, most in {"down: one literal": 20, "down: 4 x 1 MiB": 12, "up: a path": 2, "up: a path, LF": 2}.items():
        assert needed(name, SIZE) <= most * 1_000_000, name
    assert needed("down: raw", SIZE) > SIZE * 0.9, "the figure is that of the message"
