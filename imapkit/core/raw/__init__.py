"""The face of imaplib2: the client, its attributes and its old names."""
