"""Which posting a published file is for, by its place and its name, and until when that counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.economy.calendar import moment
from keeper.economy.orders import TICK, tick_ends
from keeper.errors import UserError, why
from keeper.market.manifest import NAME, Manifest
from keeper.operator.store import FILE, HOUR, evidence_name
from keeper.pow.anchored import EVIDENCE_SECONDS, PostKind
from keeper.pow.clock import OPEN_AFTER, Network
from keeper.pow.files import Evidence, read_wave


class NotPublished(UserError):
    """A file that nobody's posting is of, or one that is too early or too late to post."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file's posting: see :class:`~keeper.pow.anchored.Posting`."""

    what: str
    kind: PostKind
    number: int
    slot: int
    hash: bytes
    begins: int
    """Unix seconds: what is posted before counts for nothing."""
    ends: int | None = None
    """The last second in which it counts; None for what a slot ends."""

    def require_in_time(self, now: int, slot: int) -> None:
        """Refuse what wouldn't count at ``now``, unix seconds, in ``slot``. Raises NotPublished."""
        if now < self.begins:
            raise NotPublished(f"{self.what} is of a time that hasn't come yet: it would count for nothing")
        if self.ends is not None and now > self.ends:
            raise NotPublished(
                f"{self.what} could be posted until {moment(self.ends)}: it would count for nothing"
            )
        if self.kind == PostKind.WAVE and slot >= self.slot + OPEN_AFTER:
            raise NotPublished(
                f"{self.what} could be posted before slot {self.slot + OPEN_AFTER:,}, and this is {slot:,}: "
                "it would count for nothing"
            )


def read_published(path: Path, operator: Pubkey, network: Network) -> Published:
    """Read a file that ``operator`` publishes; raises NotPublished, and what reading its kind raises."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotPublished(f"{path} can't be read: {why(error)}") from error
    digest = sha256(data).digest()
    if path.name == NAME:
        manifest = Manifest.decode(data)
        _require_own(path, manifest.operator, operator)
        tick, slot = manifest.tick, manifest.slot
        what, ends = f"the batch of tick {tick}", tick_ends(tick)
        return Published(what, PostKind.BATCH, tick, slot, digest, tick * TICK, ends)
    named, hour = FILE.fullmatch(path.name), path.absolute().parent.name
    if named is None or _is_beside(path.name) or not re.fullmatch(HOUR, hour):
        raise NotPublished(
            f"{path} is nothing that operators post: name HOUR/wave-SLOT-{operator}.bin, "
            f"HOUR/{evidence_name(operator)} or a tick's {NAME}"
        )
    _require_own(path, named["operator"], operator)
    number = int(hour)
    begins = network.start_of(number)
    if named["slot"] is None:
        Evidence.read(data)
        what, ends = f"the evidence of hour {number}", begins + EVIDENCE_SECONDS - 1
        return Published(what, PostKind.EVIDENCE, number, 0, digest, begins, ends)
    read_wave(data)
    slot = int(named["slot"])
    return Published(f"the wave of slot {slot:,}", PostKind.WAVE, number, slot, digest, begins)


def _is_beside(name: str) -> bool:
    """Files whose hashes are in EVIDENCE files, and not posted."""
    return name.startswith(("ping-", "transfer-"))


def _require_own(path: Path, stated: str, operator: Pubkey) -> None:
    if stated != str(operator):
        raise NotPublished(f"{path} is {stated}'s, not {operator}'s: whoever published a file posts it")
