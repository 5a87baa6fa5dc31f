"""The balance guard: a keeper short of lamports says so in time, and stops before the last are spent."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.framework import sol


class Withheld(ChainError):
    """Not sent, on purpose; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class BalanceGuard:
    """Watches the key that pays; levels in lamports: below ``warning`` it warns, below ``stop`` it stops."""

    chain: ChainReader
    address: Pubkey
    warning: int
    stop: int

    async def check(self) -> None:
        """Raise Withheld when there is too little left to send anything."""
        (account,) = await self.chain.accounts([self.address])
        balance = account.lamports if account else 0
        if balance < self.stop:
            raise Withheld(f"{self.advice(balance)}; until then nothing is sent")

    def advice(self, balance: int) -> str:
        """What to do about a balance below the warning."""
        return (
            f"the key has {sol(balance)} SOL, less than {sol(self.warning)}: "
            f"send {sol(self.warning - balance)} SOL or more to {self.address}"
        )
