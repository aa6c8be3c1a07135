"""The families: how they are found and loaded, and how their claims are settled."""
