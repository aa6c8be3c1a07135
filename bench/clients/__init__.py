"""The clients side by side: a module each with a class ``Client``, a method for each kind of work that it can do."""
