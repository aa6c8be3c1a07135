"""``import imaplib`` gives imapkit: put the directory of this file on PYTHONPATH, which comes before the standard library."""

from __future__ import annotations

import sys

import imapkit.as_imaplib

sys.modules[__name__] = imapkit.as_imaplib
