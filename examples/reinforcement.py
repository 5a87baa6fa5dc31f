"""Learn to balance a pole: the cross-entropy method on a cart-pole, a task for each group of candidates."""

from __future__ import annotations

import sys

import numpy as np

MOST_STEPS, GROUP, GROUPS, BEST = 200, 16, 4, 12
FAR, BENT = 2.4, 0.2095
"""Metres and radians at which a pole is lost."""


def steps_of(policy: np.ndarray, seed: int) -> int:
    """How long a linear policy keeps the pole up; the equations are those of Barto, Sutton and Anderson."""
    state = np.random.default_rng(seed).uniform(-0.05, 0.05, 4)
    for step in range(MOST_STEPS):
        x, speed, angle, turning = state
        force = 10.0 if policy @ state > 0 else -10.0
        sine, cosine = np.sin(angle), np.cos(angle)
        push = (force + 0.05 * turning**2 * sine) / 1.1
        bend = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        pull = push - 0.05 * bend * cosine / 1.1
        state = np.array(
            [x + 0.02 * speed, speed + 0.02 * pull, angle + 0.02 * turning, turning + 0.02 * bend]
        )
        if abs(state[0]) > FAR or abs(state[2]) > BENT:
            return step
    return MOST_STEPS


def evaluate(policies: np.ndarray, seed: int) -> list[int]:
    """A group's steps, each policy from the same three beginnings."""
    return [sum(steps_of(each, seed + start) for start in range(3)) // 3 for each in policies]


def main(rounds: int) -> None:
    """Draw policies around the best of the last round, and print how long their mean keeps the pole up."""
    import ray  # noqa: PLC0415 - the rest can be used without a cluster

    ray.init(log_to_driver=False)
    random = np.random.default_rng(5)
    mean, spread = np.zeros(4), np.ones(4)
    for number in range(rounds):
        policies = mean + spread * random.standard_normal((GROUP * GROUPS, 4))
        groups = np.split(policies, GROUPS)
        scores = np.concatenate(ray.get([ray.remote(evaluate).remote(each, 10 * number) for each in groups]))
        chosen = policies[np.argsort(scores)[-BEST:]]
        mean, spread = chosen.mean(axis=0), chosen.std(axis=0) + 0.05
    print("STEPS", evaluate(mean[None], 1_000)[0], "of", MOST_STEPS)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
