"""Who gains by falling silent, and whom an outage costs: docs/compute.md's table, simulated by the rule.

``python -m scripts.silences`` writes the table between its marks. Three operators, of which two must agree,
watch five leases of six hours with the witness and the rule that an operator runs, minute by minute. What
is cut off is cut off from ten minutes into the third hour on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients.orders import Lease
from keeper.compute.board import Heard
from keeper.compute.liveness import silence
from keeper.compute.observations import read
from keeper.compute.wire import Network
from keeper.economy.calendar import HOUR
from keeper.economy.orders import LeaseStatus
from keeper.operator.clusters.witness import Witness
from scripts.pages import rewritten

PAGE = Path(__file__).parents[1] / "docs/compute.md"
BEGIN, END = "<!-- silences.py: begin -->\n", "<!-- silences.py: end -->\n"
NETWORK = Network(bytes(32), Pubkey(bytes([7]) * 32))
OPERATORS = [Keypair.from_seed(bytes([each]) * 32) for each in range(1, 4)]
KEYS = [each.pubkey() for each in OPERATORS]
K, DEVICES, HOURS, LAG, MINUTE = 2, 5, 6, 2 * HOUR, 60
START = 1_800_000_000
CUT = START + 2 * HOUR + 10 * MINUTE


class Story(NamedTuple):
    """What happens, to devices and operators by their numbers, at each unix second."""

    name: str
    serves: Callable[[int, int], bool]
    """Whether a device works at a second."""
    arrives: Callable[[int, int, int], bool]
    """Whether what that device says at a second comes to an operator."""
    reaches: Callable[[int, int], bool]
    """Whether other operators reach an operator at a second."""


class Outcome(NamedTuple):
    """Of all devices together: hours paid and not served, served and not paid; leases found lost."""

    unserved: int
    unpaid: int
    lost: int


def _named(kind: str, number: int) -> Pubkey:
    return Pubkey(sha256(f"{kind} {number}".encode()).digest())


def _lease(number: int) -> Lease:
    zeros = dict.fromkeys(Lease.__dataclass_fields__, 0)
    names = ("supplier", "worker", "payout", "payer", "device", "order")
    people = {each: _named(each, 0 if each == "order" else number) for each in names}
    times = {"hours": HOURS, "accepted_at": START, "start": START, "stop": START + HOURS * HOUR}
    rest = {"number": 1, "status": LeaseStatus.RUNNING, "registered_at": START - HOUR}
    return Lease(**{**zeros, **people, **times, **rest})  # type: ignore[arg-type]


def switched_off(devices: int) -> Story:
    """An owner of so many devices has them off."""
    return Story(
        f"the owner of {devices * 100 // DEVICES} % of all leased devices switches them off, for good",
        lambda device, second: device >= devices or second < CUT,
        lambda operator, device, second: True,
        lambda operator, second: True,
    )


def cut_off(name: str, minutes: int, operators: int, devices: int, knocks: bool) -> Story:
    """Operators and devices (the first so many) can't reach each other, nor operators, unless ``knocks``."""

    def is_cut(second: int) -> bool:
        return CUT <= second < CUT + minutes * MINUTE

    return Story(
        name,
        lambda device, second: True,
        lambda operator, device, second: operator >= operators or device >= devices or not is_cut(second),
        lambda operator, second: knocks or operator >= operators or not is_cut(second),
    )


STORIES = [
    *(switched_off(devices) for devices in (1, 2, 3, 4, 5)),
    cut_off("all operators are cut off from everybody for 3 hours", 180, 3, DEVICES, False),
    cut_off("two of three are", 180, 2, DEVICES, False),
    cut_off("80 % of all devices can't reach any operator for 85 minutes", 85, 3, 4, True),
    cut_off("the same for 3 hours, while operators reach each other", 180, 3, 4, True),
    cut_off("the same for 3 hours, and operators don't reach each other either", 180, 3, 4, False),
    cut_off("80 % of all devices can't reach one operator for 3 hours", 180, 1, 4, True),
]


def play(story: Story, *, knocks: bool) -> Outcome:
    """What becomes of all leases; without ``knocks`` as the rule was in its first version."""
    leases = {each: _lease(each) for each in range(DEVICES)}
    witnesses = [Witness(NETWORK, each) for each in OPERATORS]
    heard: list[dict[int, int]] = [{} for _ in OPERATORS]
    paid = dict.fromkeys(leases, HOURS)
    lost = dict[int, int]()
    for at in range(START, START + HOURS * HOUR, MINUTE):
        for number, witness in enumerate(witnesses):
            for device in leases:
                if story.serves(device, at - 10) and story.arrives(number, device, at - 10):
                    heard[number][device] = at - 10
            if knocks and story.reaches(number, at - 5):
                for other in KEYS:
                    if other != KEYS[number]:
                        witness.reached.knocked(
                            other, [each for each in KEYS if each != KEYS[number]], at - 5
                        )
            running = [each for device, each in leases.items() if device not in lost]
            beats = {
                (leases[device].order, leases[device].worker): Heard(second * 1_000, 1, b"")
                for device, second in heard[number].items()
            }
            witness.note(at, running, beats)
        for device, each in leases.items():
            if device in lost or sum(each.address in one.silent(at) for one in witnesses) < K:
                continue
            files = [asyncio.run(one.observation(at, each.address, 0.0)) for one in witnesses]
            found = silence([read(data, NETWORK) for data in files if data], K)
            if found is not None:
                lost[device] = at
                paid[device] = max(found.good_hours, (at - LAG - START) // HOUR)
    served = {
        each: sum(story.serves(each, START + hour * HOUR - 1) for hour in range(1, HOURS + 1))
        for each in leases
    }
    return Outcome(
        sum(max(0, paid[each] - served[each]) for each in leases),
        sum(max(0, served[each] - paid[each]) for each in leases),
        len(lost),
    )


def told(found: Outcome) -> str:
    """In words."""
    words = [{0: "no lease ends", 1: "one lease ends"}.get(found.lost, f"{found.lost} leases end")]
    if found.unserved:
        words.append(f"{found.unserved} hours are paid and not served")
    if found.unpaid:
        words.append(f"{found.unpaid} served hours aren't paid")
    return ", ".join(words)


def table() -> str:
    """The table, as the rule gives it now."""
    rows = [
        f"| {story.name} | {told(play(story, knocks=False))} | {told(play(story, knocks=True))} |"
        for story in STORIES
    ]
    return "\n".join(["| what happens | without knocks | the rule |", "| --- | --- | --- |", *rows]) + "\n"


def written(page: str) -> str:
    """The page with the table of now."""
    return rewritten(page, BEGIN, END, table())


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
