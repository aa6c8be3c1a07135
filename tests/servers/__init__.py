"""Private real IMAP servers on loopback, one throw-away instance for each ``running()``."""
