"""``python -m imapkit``, the same as the command ``imapkit``."""

from __future__ import annotations

import sys

from imapkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
