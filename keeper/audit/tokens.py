"""Every token that moved: the vaults' and the mint's, transaction by transaction.

What a vault must have is known three ways, none of which makes another: by the events, by the calls of the
token program that moved tokens, and by the balances before and after each transaction. A gift is no fault:
anybody may send tokens to a vault, and nothing takes them for somebody's.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.audit.calls import Call
from keeper.audit.decoded import Happened
from keeper.audit.findings import Code, Finding
from keeper.audit.history import Executed
from keeper.audit.moves import Vaults
from keeper.chain import Account
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.token import ACCOUNT_SIZE, MINT_SIZE, STATE, read_mint, read_token_account
from keeper.chain.whole import TOKEN_PROGRAMS
from keeper.clients import tokenomics
from keeper.clients.programs import BY_ADDRESS

_AMOUNT = struct.Struct("<Q")
_TRANSFER, _MINT_TO, _BURN, _CHECKED = 3, 7, 8, {12: 3, 14: 7, 15: 8}
_DELEGATE, _CLOSER = 72, 129
"""Where a token account says whether it has a delegate, and another who may close it."""
_NOBODY = bytes(4)


class Move(NamedTuple):
    """Tokens that a call moved: ``source`` None for new ones, ``target`` None for burned ones."""

    source: Pubkey | None
    target: Pubkey | None
    mint: Pubkey | None
    """Where the call names it."""
    amount: int


def move_of(call: Call) -> Move | None:
    """What a call of a token program moved; None for one that moves nothing that is looked at here."""
    if call.program not in TOKEN_PROGRAMS or not call.data:
        return None
    kind, checked = _CHECKED.get(call.data[0], call.data[0]), call.data[0] in _CHECKED
    if kind not in (_TRANSFER, _MINT_TO, _BURN) or len(call.data) < 1 + _AMOUNT.size:
        return None
    (amount,) = _AMOUNT.unpack_from(call.data, 1)
    first, second = call.accounts[0], call.accounts[1]
    if kind == _MINT_TO:
        return Move(None, second, first, amount)
    if kind == _BURN:
        return Move(first, None, second, amount)
    return Move(first, call.accounts[2] if checked else second, second if checked else None, amount)


class Tokens:
    """What became of vaults and mint in all transactions."""

    def __init__(self, part: str, hidden: Collection[Pubkey] = ()) -> None:
        """Start before the first; findings are of ``part``.

        Of vaults that are ``hidden``, as not all is known of transactions that name them, nothing is said.
        """
        self.vaults = Vaults()
        self.hidden = hidden
        self.findings: list[Finding] = []
        self.moved = 0
        """Movements of vaults that were looked at."""
        self.gifts: dict[Pubkey, int] = defaultdict(int)
        """What came into vaults and is nobody's, base units."""
        self.supply: list[tuple[int, int]] = [(-1, 0)]
        """Of IO: what was minted less what was burned, by slots."""
        self.balances: dict[Pubkey, list[tuple[int, int]]] = defaultdict(list)
        """By vault: slots of the transactions that name it, and its balance after each."""
        self._part = part

    def follow(self, history: Iterable[Executed], events: Iterable[Happened]) -> None:
        """Follow all transactions in their order; ``events`` are theirs."""
        of: dict[str, list[Happened]] = defaultdict(list)
        for each in events:
            of[each.executed.name].append(each)
        for executed in history:
            if executed.record.error is None and executed.signed is not None:
                self._follow(executed, of.get(executed.name, ()))

    def held(self, found: Mapping[Pubkey, Account | None], first: int, last: int) -> Iterator[Finding]:
        """Vaults as the chain shows them, read between two slots, against what their transactions left."""
        for vault, name in self.vaults.named.items():
            if vault in self.hidden:
                continue
            account = found.get(vault)
            there = held_in(account)
            known = [(-1, 0), *self.balances[vault]]
            possible = _between(known, first, last)
            if account is None and known[1:] and vault not in self.vaults.closed:
                yield self._finding(Code.VAULT_MISSING, vault, name, known[-1][0], possible[-1], None)
            elif there not in possible:
                slot = known[-1][0] if known[1:] else None
                yield self._finding(Code.VAULT_MOVED_UNSEEN, vault, f"{name}, now", slot, possible[-1], there)
            if account is not None and vault not in self.vaults.closed:
                yield from self._hands(vault, name, account)

    def held_at(self, vault: Pubkey, slot: int, shown: int, first: int, last: int) -> int:
        """What a vault had at an earlier slot, by what is shown of it now and what was moved since."""
        known = [(-1, 0), *self.balances[vault]]
        possible = _between(known, first, last)
        now = shown if shown in possible else possible[-1]
        return shown - (now - _between(known, slot, slot)[-1])

    def minted(self, account: Account | None, first: int, last: int) -> Iterator[Finding]:
        """The mint as the chain shows it, read between two slots, against what was minted and burned."""
        mint, config = str(tokenomics.MINT), str(tokenomics.CONFIG)
        if account is None or account.owner != TOKEN_PROGRAM or len(account.data) != MINT_SIZE:
            yield self._finding(Code.MINT_DIFFERS, tokenomics.MINT, "the mint", None, mint, None)
            return
        found = read_mint(account.data)
        possible = _between(self.supply, first, last)
        if found.supply not in possible and tokenomics.MINT not in self.hidden:
            yield self._finding(
                Code.MINT_DIFFERS, tokenomics.MINT, "supply", None, possible[-1], found.supply
            )
        for row, right, there in (
            ("authority", config, str(found.authority)),
            ("freeze authority", "None", str(found.freeze_authority)),
        ):
            if right != there:
                yield self._finding(Code.MINT_CHANGED_HANDS, tokenomics.MINT, row, None, right, there)

    # -- inside ------------------------------------------------------------------------------

    def _follow(self, executed: Executed, events: Sequence[Happened]) -> None:
        told: dict[Pubkey, int] = defaultdict(int)
        all_told = True
        for each in events:
            said = self.vaults.told(each.program.name, each.event)
            all_told &= said is not None
            for vault, amount in said or ():
                told[vault] += amount
        ours: dict[Pubkey, int] = defaultdict(int)
        others: set[Pubkey] = set()
        for call in executed.calls:
            self._count(call, executed.record.slot, ours, others)
        shown = self._shown(executed)
        named = self.vaults.named
        for vault in [
            each for each in {**told, **ours, **shown} if each in named and each not in self.hidden
        ]:
            self.moved += 1
            before, after = shown.get(vault, (0, 0))
            slot, name = executed.record.slot, named[vault]
            last = self.balances[vault][-1][1] if self.balances[vault] else 0
            if before != last:
                row = f"{name}, before {executed.name}"
                self.findings.append(self._finding(Code.VAULT_MOVED_UNSEEN, vault, row, slot, last, before))
            self.balances[vault].append((slot, after))
            rest = after - before - ours[vault]
            if all_told and told[vault] != ours[vault]:
                self._untold(executed, vault, name, told[vault], ours[vault])
            elif rest < 0 or (rest > 0 and vault not in others):
                self._untold(executed, vault, name, told[vault], after - before)
            elif rest:
                self.gifts[vault] += rest

    def _untold(self, executed: Executed, vault: Pubkey, name: str, told: int, found: int) -> None:
        row = f"{name} {vault}"
        self.findings.append(
            Finding(
                self._part,
                Code.VAULT_MOVED_UNTOLD,
                executed.name,
                row,
                executed.record.slot,
                told,
                found,
                executed.signers,
            )
        )

    def _count(self, call: Call, slot: int, ours: dict[Pubkey, int], others: set[Pubkey]) -> None:
        """What a call moved: by one of the four programs, or by others, whose calls may only give."""
        by_us = call.caller is not None and call.caller.program in BY_ADDRESS
        move = move_of(call)
        if move is not None and by_us:
            if move.source is not None:
                ours[move.source] -= move.amount
            if move.target is not None:
                ours[move.target] += move.amount
        elif call.program in TOKEN_PROGRAMS:
            others.update(call.accounts)
        if move is not None and move.mint == tokenomics.MINT:
            change = move.amount if move.source is None else -move.amount if move.target is None else 0
            if change:
                self.supply.append((slot, self.supply[-1][1] + change))

    def _shown(self, executed: Executed) -> dict[Pubkey, tuple[int, int]]:
        """Balances before and after, of the vaults that a transaction names."""
        assert executed.signed is not None
        signed = executed.signed
        keys = [*signed.transaction().message.account_keys, *signed.writable, *signed.readonly]
        return {
            keys[each.place]: (each.before or 0, each.after or 0)
            for each in signed.tokens
            if keys[each.place] in self.vaults.named
        }

    def _hands(self, vault: Pubkey, name: str, account: Account) -> Iterator[Finding]:
        """Whether a vault is its program's alone."""
        if account.owner not in TOKEN_PROGRAMS or len(account.data) < ACCOUNT_SIZE:
            there = f"{len(account.data)} bytes of {account.owner}"
            yield self._finding(Code.VAULT_CHANGED_HANDS, vault, name, None, "a token account", there)
            return
        found, data = read_token_account(account.data), account.data
        for row, right, there in (
            ("mint", str(self.vaults.mints[vault]), str(found.mint)),
            ("owner", str(self.vaults.owners[vault]), str(found.owner)),
            ("delegate", "none", _named(data, _DELEGATE)),
            ("who may close it", "none", _named(data, _CLOSER)),
        ):
            if right != there:
                yield self._finding(Code.VAULT_CHANGED_HANDS, vault, f"{name}, {row}", None, right, there)

    def _finding(
        self,
        code: Code,
        where: Pubkey,
        row: str,
        slot: int | None,
        expected: str | int,
        found: str | int | None,
    ) -> Finding:
        return Finding(self._part, code, str(where), row, slot, expected, found, None)


def _between(known: Sequence[tuple[int, int]], first: int, last: int) -> list[int]:
    """What a balance may have been between two slots, of its values by slots."""
    before = [amount for slot, amount in known if slot <= first][-1:]
    return before + [amount for slot, amount in known if first < slot <= last]


def held_in(account: Account | None) -> int:
    """Base units in a token account; 0 for none."""
    if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < ACCOUNT_SIZE:
        return 0
    return read_token_account(account.data).amount if account.data[STATE] else 0


def _named(data: bytes, at: int) -> str:
    """An optional address of a token account: 4 bytes that say whether it is there, then itself."""
    return "none" if data[at : at + 4] == _NOBODY else str(Pubkey(data[at + 4 : at + 36]))
