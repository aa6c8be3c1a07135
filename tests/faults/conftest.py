"""The server for the fault tests."""

from __future__ import annotations

from tests.live.conftest import dovecot

__all__ = ["dovecot"]
