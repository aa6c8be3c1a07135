"""The protocol engine, in both directions and without I/O: no thread, lock, socket or clock is in it or below it.

The caller says what time it is, hands in what was received, takes out what is to be sent, and does what ``Effects`` say.
"""
