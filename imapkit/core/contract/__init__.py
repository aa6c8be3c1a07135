"""What a family says, and what it sees: commands, responses, the session, calls and results."""
