"""Bytes in and out: sockets, pipes, TLS and other layers."""
