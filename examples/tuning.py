"""Search for good parameters: many short trials at once, and after each round the better half goes on."""

from __future__ import annotations

import sys

import numpy as np

ROWS, INPUTS = 2_000, 10


def drawn(count: int) -> list[tuple[float, float]]:
    """Learning rates and penalties, spread evenly over orders of magnitude."""
    random = np.random.default_rng(3)
    return [(float(10 ** random.uniform(-4, 0)), float(10 ** random.uniform(-6, 0))) for _ in range(count)]


def trial(parameters: tuple[float, float], steps: int) -> float:
    """The error on rows that a regression, trained for so many steps, hasn't seen."""
    rate, penalty = parameters
    random = np.random.default_rng(4)
    rows = random.standard_normal((ROWS, INPUTS))
    wanted = rows @ random.standard_normal(INPUTS) + 0.1 * random.standard_normal(ROWS)
    half, model = ROWS // 2, np.zeros(INPUTS)
    for _ in range(steps):
        wrong = rows[:half] @ model - wanted[:half]
        model -= rate * (rows[:half].T @ wrong / half + penalty * model)
    return float(np.mean((rows[half:] @ model - wanted[half:]) ** 2))


def main(count: int, steps: int) -> None:
    """Halve the candidates, and double the steps, until one is left; print it and its error."""
    import ray  # noqa: PLC0415 - the rest can be used without a cluster

    ray.init(log_to_driver=False)
    left = drawn(count)
    while True:
        errors = ray.get([ray.remote(trial).remote(each, steps) for each in left])
        best = sorted(zip(errors, left, strict=True))
        if len(left) == 1:
            break
        left = [each for _, each in best[: len(left) // 2]]
        steps *= 2
    error, (rate, penalty) = best[0]
    print(f"BEST {rate:.6f} {penalty:.6f} {error:.6f}")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if len(sys.argv) > 1 else (16, 20)))
