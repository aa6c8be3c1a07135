"""Threads around the engine: callers that submit and wait, a reader, and workers on demand. They carry; the engine decides."""
