"""The same everyday tasks with imapkit, IMAPClient and imap_tools: how many lines each takes, and what cannot be done.

``python -m bench.tasks`` counts, ``python -m bench.tasks --run`` also runs all of them against Dovecot and compares what they return.
"""
