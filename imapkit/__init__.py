"""imapkit."""
