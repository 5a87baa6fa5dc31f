"""Classes of processors by what other tools call a card: its model, its memory, how it is connected."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

PROCESSOR = "CPU"
"""The class of a device that has no card to let."""
PCIE, SXM = "pcie", "sxm"
_MEMORY = re.compile(r"[-_ ]([0-9]{1,5})g(i?b)?$", re.I)
_MAKER = re.compile(r"^(nvidia|geforce|tesla|quadro)+")
_NOT_NAME = re.compile(r"[^a-z0-9]")


class Card(NamedTuple):
    """A class of cards as others see it."""

    model: str
    gib: tuple[int, ...]
    """The sizes of memory that cards of the class come with: with two, the larger one isn't promised."""
    interface: str = PCIE


class Range(NamedTuple):
    """GiB of a card's memory, both ends included."""

    least: float = 0
    most: float = float("inf")


CARDS = {
    "B200": Card("b200", (180,), SXM),
    "H200": Card("h200", (141,), SXM),
    "H100 80GB HBM3": Card("h100", (80,), SXM),
    "H100 PCIe": Card("h100", (80,)),
    "H100 80G PCIe": Card("h100", (80,)),
    "A100 80GB PCIe": Card("a100", (80,)),
    "A100-SXM4-80GB": Card("a100", (80,), SXM),
    "L40S": Card("l40s", (48,)),
    "A100-PCIE-40GB": Card("a100", (40,)),
    "RTX 4090": Card("rtx4090", (24,)),
    "RTX 4090 D": Card("rtx4090d", (24,)),
    "RTX 3060": Card("rtx3060", (8, 12)),
    "RTX 3060 Ti": Card("rtx3060ti", (8,)),
    "RTX 3070": Card("rtx3070", (8,)),
    "RTX 3070 Ti": Card("rtx3070ti", (8,)),
    "RTX 3080": Card("rtx3080", (10, 12)),
    "RTX 3080 Ti": Card("rtx3080ti", (12,)),
    "RTX 3090": Card("rtx3090", (24,)),
    "RTX 3090 Ti": Card("rtx3090ti", (24,)),
    "RTX 4060": Card("rtx4060", (8,)),
    "RTX 4060 Ti": Card("rtx4060ti", (8, 16)),
    "RTX 4070": Card("rtx4070", (12,)),
    "RTX 4070 Ti": Card("rtx4070ti", (12,)),
    "RTX 4080": Card("rtx4080", (16,)),
    "L4": Card("l4", (24,)),
    "RTX 4000": Card("rtx4000", (8, 20)),
    "RTX 4000 SFF Ada": Card("rtx4000sffada", (20,)),
    "RTX 5000": Card("rtx5000", (16,)),
    "RTX 5000 Ada": Card("rtx5000ada", (32,)),
    "RTX 6000 Ada": Card("rtx6000ada", (48,)),
    "RTX A4000": Card("a4000", (16,)),
    "RTX A5000": Card("a5000", (24,)),
    "RTX A6000": Card("a6000", (48,)),
    "T4": Card("t4", (16,)),
    "V100 PCIe 16GB": Card("v100", (16,)),
    "V100 SXM2 16GB": Card("v100", (16,), SXM),
    "V100 PCIe 32GB": Card("v100", (32,)),
    "V100 SXM2 32GB": Card("v100", (32,), SXM),
    "V100S": Card("v100s", (32,)),
    "A10": Card("a10", (24,)),
    "A10G": Card("a10g", (24,)),
    "A16": Card("a16", (16,)),
    "A40": Card("a40", (48,)),
    "GTX 1080 Ti": Card("gtx1080ti", (11,)),
    "RTX 2080 Ti": Card("rtx2080ti", (11,)),
    "RTX 3050": Card("rtx3050", (6, 8)),
    "RTX 3050 Ti": Card("rtx3050ti", (4,)),
}
"""By the network's names, which migrations/classes has; memory as the makers state it."""


def classes(model: str | None, memory: Range | None = None, interface: str | None = None) -> list[str]:
    """The classes of which every card is what was asked for; of any model with None."""
    named, memory = _named(model, memory)
    return [
        name
        for name, card in CARDS.items()
        if named in (None, card.model)
        and (interface is None or card.interface == interface)
        and (memory is None or all(memory.least <= each <= memory.most for each in card.gib))
    ]


def together(found: Iterable[Iterable[str]]) -> list[str]:
    """Several such lists as one, each class once, in the network's order."""
    known = {name for each in found for name in each}
    return [name for name in CARDS if name in known]


def _named(model: str | None, memory: Range | None) -> tuple[str | None, Range | None]:
    """A model's name without its maker and memory; ``A100-80GB`` says both."""
    if model is None:
        return None, memory
    if (said := _MEMORY.search(model)) is not None:
        size = int(said[1])
        model, memory = model[: said.start()], memory or Range(size, size)
    bare = _MAKER.sub("", _NOT_NAME.sub("", model.lower()))
    return (bare.removeprefix("rtx") if bare.startswith("rtxa") else bare), memory
