"""The core: tags, threads, states and layers; it knows no command."""
