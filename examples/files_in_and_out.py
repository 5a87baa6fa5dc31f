"""Count words of the files in /data/in, and write /data/out/words.json: files in, files out, no Ray in it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path


def count(folder: Path) -> dict[str, int]:
    """How often each word is in the text files of a folder."""
    found = Counter[str]()
    for path in sorted(folder.rglob("*.txt")):
        found.update(path.read_text().lower().split())
    return dict(sorted(found.items()))


def main(source: Path, target: Path) -> None:
    """Count, write, and print how many words there are."""
    found = count(source)
    target.mkdir(parents=True, exist_ok=True)
    (target / "words.json").write_text(json.dumps(found))
    print("WORDS", sum(found.values()))


if __name__ == "__main__":
    main(*(map(Path, sys.argv[1:]) if len(sys.argv) > 1 else (Path("/data/in"), Path("/data/out"))))
