"""How many examples hypothesis tries: few and always the same in the suite, ``IMAPKIT_EXAMPLES=5000`` for more, at random."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FEW = 15
_MANY = int(os.environ.get("IMAPKIT_EXAMPLES", "0"))

# A busy machine is no reason to fail, and a failing input is committed as a vector, not kept in a database.
settings.register_profile(
    "imapkit",
    max_examples=_MANY or FEW,
    derandomize=not _MANY,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("imapkit")
