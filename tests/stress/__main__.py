"""Stress at length:  python -X dev -m tests.stress --seconds 600

Prints its seed, and its figures at the end; the exit code is 1 if anything failed, with the stacks of all threads if it hung.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys

from tests.servers import dovecot as dovecot_server
from tests.stress.dovecot import Dovecot
from tests.stress.run import run


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=60, help="commands of each thread on one connection")
    parser.add_argument("--connections", type=int, default=2, help="connections at once")
    parser.add_argument("--dovecot", action="store_true", help="a private Dovecot instead of a scripted server")
    chosen = parser.parse_args()
    # Callbacks that raise are logged, and here they do so on purpose.
    logging.getLogger("imapkit").addHandler(logging.NullHandler())
    print(f"--seed {chosen.seed}", flush=True)
    options = vars(chosen)
    if options.pop("dovecot"):
        with dovecot_server.running() as server:
            done = run(play=Dovecot(server).play, **options)
    else:
        done = run(**options)
    print(done)
    for wrong in done.wrong[:20]:
        print("WRONG:", wrong)
    sys.exit(bool(done.wrong))


main()
