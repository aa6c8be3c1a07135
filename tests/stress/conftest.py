"""The real server under stress."""

from __future__ import annotations

from tests.live.conftest import dovecot

__all__ = ["dovecot"]
