"""What a family declares, and what it uses: commands, responses, the session, calls and results."""
