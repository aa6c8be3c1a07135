"""How a program waits for a command."""
