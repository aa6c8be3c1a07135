"""The same everyday tasks with imapkit, IMAPClient and imap_tools: how many lines each takes, and what cannot be done.

``python -m bench.tasks`` counts; with ``--run`` it also runs all of them against Dovecot, and compares what they return.
"""
