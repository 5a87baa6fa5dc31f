"""What runs a renter's node on this machine, as the lease's state machine asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import NamedTuple, Protocol

from solders.pubkey import Pubkey

from keeper.chain import Signer
from keeper.compute.bodies import Endpoint
from keeper.compute.node import Alive, Node
from keeper.compute.peers import Other
from keeper.market.accepting import Hindrance


class Usage(NamedTuple):
    """What a sandbox has used since its node began; bytes, but for the first two."""

    uptime: int = 0
    """Seconds."""
    cpu_ms: int = 0
    memory: int = 0
    sent: int = 0
    received: int = 0


class Size(NamedTuple):
    """What a node offers; ``memory`` and ``objects`` in bytes."""

    processors: int
    memory: int
    objects: int


class Host(Protocol):
    """One device's sandbox, with its network and its node. Methods raise UserErrors such as SandboxFailed."""

    @property
    def address(self) -> IPv4Address | None:
        """Under which the sandbox is in the overlay; None while there is none."""

    @property
    def size(self) -> Size:
        """What a node is given."""

    @property
    def ended(self) -> str:
        """Why the sandbox that was opened isn't there any more; nothing while it is."""

    @property
    def lets_out(self) -> bool:
        """Whether the supplier lets a renter's code out to any host."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where other members reach this one without a relay; none: by relays alone."""

    async def lacks(self) -> Hindrance | None:
        """What the machine lacks for any sandbox; None where one can be made."""

    async def keep_only(self, lease: str) -> None:
        """Delete what leases other than this one have left, such as those of a process that was killed."""

    async def open(
        self, lease: str, order: Pubkey, signer: Signer, private: bytes, address: IPv4Address
    ) -> None:
        """Make the namespaces and the network of a lease, in which nothing runs yet."""

    async def meet(self, others: Mapping[Pubkey, Other]) -> None:
        """Let exactly these members in, by the keys that they sign with."""

    async def let_out(self, asked: bool) -> None:
        """Have the way out that the renter asks for, as far as the supplier allows one; else none."""

    async def start(self, node: Node) -> None:
        """Run the node in the sandbox."""

    async def alive(self, node: Node) -> list[Alive]:
        """The nodes that its head has alive. Raises HeadSilent, TokenRefused."""

    async def probe(self, seed: bytes) -> bytes:
        """What a probe's seed comes to in the sandbox. Raises SandboxFailed where it comes to nothing."""

    async def freeze(self) -> None:
        """Stop all of the renter's processes."""

    async def thaw(self) -> None:
        """Let them go on."""

    async def close(self) -> None:
        """End the sandbox, and keep the lease's files."""

    async def end(self) -> None:
        """End the sandbox, and delete all leases' files. Raises SandboxFailed when something stays."""

    async def clear(self) -> None:
        """Delete the lease's files, where nothing runs."""

    async def is_sound(self) -> bool:
        """Whether a node of its own starts here, alone, in a fresh folder: then it isn't at fault."""

    def used(self) -> Usage:
        """What the sandbox has used."""
