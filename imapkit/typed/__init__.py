"""The typed API: one definition of each command, in three faces."""
