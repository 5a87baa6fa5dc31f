"""What this machine says of itself: a hint for its owner, which proves nothing and pays nothing."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import psutil
import pynvml

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Hardware:
    """Processors and memory, as the system and the graphics driver name them; bytes."""

    processor: str
    cores: int
    memory: int
    available: int
    """Of the memory, what is free for use now."""
    cards: tuple[str, ...]

    def lines(self) -> list[str]:
        """The same for people."""
        cores = f"{self.processor}, {self.cores} cores"
        memory = f"{self.memory / GIB:.1f} GiB of memory, {self.available / GIB:.1f} free"
        return [cores, memory, *(self.cards or ("no NVIDIA card that its driver names",))]


def look() -> Hardware:
    """Ask the system and the driver; what they don't say is left out."""
    memory = psutil.virtual_memory()
    name = platform.processor() or platform.machine()
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return Hardware(name, cores, memory.total, memory.available, _cards())


def _cards() -> tuple[str, ...]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        found = []
        for number in range(pynvml.nvmlDeviceGetCount()):
            card = pynvml.nvmlDeviceGetHandleByIndex(number)
            memory = pynvml.nvmlDeviceGetMemoryInfo(card).total
            found.append(f"{pynvml.nvmlDeviceGetName(card)}, {memory / GIB:.1f} GiB")
        return tuple(found)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()
