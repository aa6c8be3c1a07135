"""Fuzz a target, guided by coverage: python -m tests.fuzz grammar --seconds 600

Needs atheris (``pip install -e '.[fuzz]'``). Starts from the wire vectors and the committed corpus; what it finds on its way goes
to ``build/fuzz``, an input that breaks something to ``build/fuzz/TARGET-crash-...``, and the exit code is not 0 then.
``--minimise`` writes the corpus again, from all of these.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz import corpus

BUILD = Path("build") / "fuzz"
LONGEST = 2000
SLOWEST = 10
"""Seconds: an input that takes longer counts as broken."""


def unpacked(name: str, inputs: Iterable[bytes]) -> Path:
    """A directory with these inputs as files."""
    place = BUILD / name
    place.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (place / hashlib.sha256(data).hexdigest()[:20]).write_bytes(data)
    return place


def dictionary() -> Path:
    """The words of the language, for the fuzzer to insert."""
    from tests.fuzz.targets import REGISTRY

    words = {name.encode() for name in (*REGISTRY.responses, *REGISTRY.codes)}
    words |= {item.encode() for _, item in REGISTRY.items}
    words |= set(rb'"\" NIL [ ] ( )'.split()) | {b"\r\n", b"* ", b"+ ", b"* 1 ", b"T1 OK ", b"{3}\r\n", b"~{2}\r\n", b"{2+}\r\n"}
    path = BUILD / "words"
    path.write_text("".join('"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word)) for word in sorted(words)), "ascii")
    return path


def fuzz(target: str, seconds: int, seed: int) -> None:
    """Run the fuzzer; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["imapkit"]):
        from tests.fuzz.targets import TARGETS
    found = unpacked(f"{target}-found", [])
    given = unpacked(f"{target}-given", [*corpus.vectors(), *corpus.kept(target)])
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
        f"-dict={dictionary()}",
        f"-artifact_prefix={BUILD / target}-",
        "-print_final_stats=1",
    ]
    print(f"fuzzing {target} for {seconds} s, --seed {seed}", flush=True)
    atheris.Setup([sys.argv[0], *options, str(found), str(given)], TARGETS[target])
    atheris.Fuzz()


def minimise(target: str) -> None:
    """Write the corpus of a target again."""
    from tests.fuzz.targets import TARGETS

    found = [path.read_bytes() for path in sorted((BUILD / f"{target}-found").glob("*"))]
    chosen = corpus.minimised(TARGETS[target], [*corpus.vectors(), *corpus.kept(target), *found])
    corpus.write(target, chosen)
    print(f"{target}: {len(chosen)} inputs")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", choices=("framing", "grammar", "session"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(31))
    parser.add_argument("--minimise", action="store_true")
    chosen = parser.parse_args()
    if chosen.minimise:
        minimise(chosen.target)
    else:
        fuzz(chosen.target, chosen.seconds, chosen.seed)


main()
