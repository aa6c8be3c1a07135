"""The protocol engine, in both directions and without I/O: it and what it imports use no thread, lock, socket or clock.

The caller passes the time and the responses in, takes the bytes to send out, and acts on ``Effects``.
"""
