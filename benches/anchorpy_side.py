"""The other side of idl_codec.py: anchorpy's coders, in anchorpy's own environment.

Reads the inputs that idl_codec.py wrote, then obeys it line by line: the name of a task in, the
seconds it took and a digest of its results out.
"""

import gc
import sys
import time
from pathlib import Path

from anchorpy import Idl
from anchorpy.coder.accounts import AccountsCoder
from anchorpy.coder.event import EventCoder
from anchorpy.coder.instruction import InstructionCoder
from inputs import digest, pieces, read_claims


def main() -> None:
    """Answer until the input ends."""
    idl_path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    idl = Idl.from_json(idl_path.read_text())
    accounts, events, instructions = AccountsCoder(idl), EventCoder(idl), InstructionCoder(idl)
    allocations = pieces(folder / "allocations")
    emitted = pieces(folder / "events")
    claims = read_claims(folder / "claims")
    tasks = {
        "accounts": lambda: [accounts.decode(data) for data in allocations],
        "events": lambda: [events.parse(data) for data in emitted],
        "instructions": lambda: [instructions.encode("claim_season", claim) for claim in claims],
    }
    results = {
        "accounts": lambda found: digest(vars(each).values() for each in found),
        "events": lambda found: digest(vars(each.data).values() for each in found),
        "instructions": lambda found: digest([data] for data in found),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        gc.collect()
        start = time.perf_counter()
        found = tasks[name]()
        seconds = time.perf_counter() - start
        print(seconds, results[name](found), flush=True)


if __name__ == "__main__":
    main()
