"""The other side of indexer.py: anchorpy's EventParser on logs, in anchorpy's own environment.

Reads the logs that indexer.py wrote, then obeys it: a line in, the seconds it took and a digest of the
events out.
"""

import gc
import json
import sys
import time
from pathlib import Path

from anchorpy import Coder, EventParser, Idl
from inputs import digest
from solders.pubkey import Pubkey


def main() -> None:
    """Answer until the input ends."""
    idl_path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    address = Pubkey.from_string(json.loads(idl_path.read_text())["metadata"]["address"])
    parser = EventParser(address, Coder(Idl.from_json(idl_path.read_text())))
    transactions = json.loads((folder / "logs").read_text())
    print("ready", flush=True)
    for _ in sys.stdin:
        found: list = []
        gc.collect()
        start = time.perf_counter()
        for logs in transactions:
            parser.parse_logs(logs, found.append)
        seconds = time.perf_counter() - start
        print(seconds, digest(vars(each.data).values() for each in found), flush=True)


if __name__ == "__main__":
    main()
