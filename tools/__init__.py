"""What builds imapkit; no part of the distribution."""
