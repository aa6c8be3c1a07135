"""The command line: ``python -m imapkit demo | plugins | doctor | trim``, one module for each."""
