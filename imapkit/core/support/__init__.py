"""Nothing of IMAP: cheap dataclasses, late patterns, logging, secrets, limits, and how text is shown."""
