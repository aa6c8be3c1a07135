"""Side by side with other IMAP clients: ``python -m bench --help``."""
