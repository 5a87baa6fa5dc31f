"""Score rows by a neural network: a task for each chunk, on whichever node has room."""

from __future__ import annotations

import sys

import numpy as np

CHUNK, INPUTS, HIDDEN, CLASSES = 5_000, 32, 64, 10


def weights(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A network of two layers; a real job would read one from /data."""
    random = np.random.default_rng(seed)
    return random.standard_normal((INPUTS, HIDDEN)), random.standard_normal((HIDDEN, CLASSES))


def score(network: tuple[np.ndarray, np.ndarray], chunk: int) -> list[int]:
    """How many of a chunk's rows are of each class."""
    rows = np.random.default_rng([2, chunk]).standard_normal((CHUNK, INPUTS))
    first, second = network
    found = np.argmax(np.maximum(rows @ first, 0) @ second, axis=1)
    return [int(each) for each in np.bincount(found, minlength=CLASSES)]


def main(chunks: int) -> None:
    """Score all chunks, and print how many rows each class has."""
    import ray  # noqa: PLC0415 - the rest can be used without a cluster

    ray.init(log_to_driver=False)
    network = ray.put(weights())
    counts = ray.get([ray.remote(score).remote(network, each) for each in range(chunks)])
    print("CLASSES", *np.sum(counts, axis=0))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
