"""Train a classifier on shards of its data: each worker has one, and sums all workers' gradients itself."""

from __future__ import annotations

import sys

import numpy as np

ROWS, INPUTS, CLASSES, RATE = 4_000, 20, 3, 0.5


def shard(number: int, shards: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a worker and their classes, which a hidden matrix gives them."""
    hidden = np.random.default_rng(1).standard_normal((INPUTS, CLASSES))
    rows = np.random.default_rng(2).standard_normal((ROWS, INPUTS))
    return rows[number::shards], np.argmax(rows @ hidden, axis=1)[number::shards]


class Worker:
    """One shard, and a copy of the model that stays the same as everybody's."""

    def __init__(self, number: int, shards: int) -> None:
        """Begin with a model that knows nothing."""
        self.rows, self.classes = shard(number, shards)
        self.model = np.zeros((INPUTS, CLASSES))

    def gradient(self) -> np.ndarray:
        """Of this shard, summed over its rows."""
        scores = self.rows @ self.model
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        chances[np.arange(len(self.classes)), self.classes] -= 1
        return self.rows.T @ chances

    def step(self, *gradients: np.ndarray) -> None:
        """All-reduce: every worker sums all gradients in the same order, and so has the same model."""
        self.model -= RATE * sum(gradients) / ROWS

    def right(self) -> int:
        """How many rows of the shard the model has right."""
        return int((np.argmax(self.rows @ self.model, axis=1) == self.classes).sum())


def main(workers: int, steps: int) -> None:
    """Train, and print how often the model is right."""
    import ray  # noqa: PLC0415 - the rest can be used without a cluster

    ray.init(log_to_driver=False)
    made = [ray.remote(Worker).remote(each, workers) for each in range(workers)]
    for _ in range(steps):
        gradients = [each.gradient.remote() for each in made]
        ray.get([each.step.remote(*gradients) for each in made])
    print("RIGHT", sum(ray.get([each.right.remote() for each in made])), "of", ROWS)


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if len(sys.argv) > 1 else (2, 200)))
