"""Live tests, against real servers."""
