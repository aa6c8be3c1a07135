"""Bytes and their shapes: responses from lines and literals, and the pieces that a command is made of."""
