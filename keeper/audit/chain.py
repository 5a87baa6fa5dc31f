"""The four programs' accounts, vaults, mint, schedules and roles, rebuilt from transactions alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.audit.changes import Changes
from keeper.audit.decoded import Decoded
from keeper.audit.findings import Code, Finding, Part, Unchecked
from keeper.audit.history import Executed, History
from keeper.audit.ledger import Ledger
from keeper.audit.owed import owed
from keeper.audit.rows import Rows
from keeper.audit.schedules import Schedules
from keeper.audit.sources import Source, Told
from keeper.audit.tokens import Tokens, held_in
from keeper.chain import Account, ChainReader, ChainUnreachable, Commitment
from keeper.chain.framework import WELL_KNOWN
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.db import Database

NAME = "chain"
FINAL_SECONDS = 120
"""How long it is waited for what was read to be final."""
LOOKS = 2
"""How often lists of accounts that differ are read, for transactions that no other list has."""
MOST_LISTS = 50
"""Accounts whose own lists are read then."""


class _State(NamedTuple):
    """What the chain shows: accounts by program, each as of a slot; tokens, read between two slots."""

    slots: Mapping[str, int]
    accounts: Mapping[str, Mapping[Pubkey, Account]]
    tokens: Mapping[Pubkey, Account | None]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What follows from all transactions, and where the chain shows something else."""

    history: History
    ledger: Ledger
    tokens: Tokens
    accounts: int
    """How many there are on the chain."""
    dates: int
    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]


async def check(source: Source, told: Told) -> Part:
    """Rebuild everything from the transactions that the chain lists, and compare it with what it shows."""
    found = await rebuilt(source, told)
    tokens, ledger = found.tokens, found.ledger
    rows = await _rows(source.database, ledger)
    gifts = [
        f"{tokens.vaults.named[vault]} was given {amount:,} base units beside what events say"
        for vault, amount in tokens.gifts.items()
        if vault not in tokens.vaults.closed
    ]
    return Part(
        NAME,
        {
            "transactions": len(found.history.ordered()),
            "events": len(ledger.events),
            "accounts": found.accounts,
            "vaults": len(tokens.vaults.named),
            "movements of tokens": tokens.moved,
            "dates": found.dates,
            **({"rows": rows.checked} if rows else {}),
        },
        found.unchecked + tuple(rows.unchecked if rows else ()),
        found.findings + tuple(rows.findings if rows else ()),
        tuple(Changes().follow(ledger.events)),
        tuple(gifts),
    )


async def rebuilt(source: Source, told: Told, part: str = NAME, also: Iterable[Pubkey] = ()) -> Rebuilt:
    """Accounts, vaults and dates from transactions: those that the programs, their vaults and the mint list.

    Lists of ``also`` are read, too. Findings are of ``part``.
    """
    chain = source.chain
    programs = [each.address for each in PROGRAMS.values()]
    history = History(chain, part, told, source.shared.records if source.shared else None)
    decoded = Decoded(part)
    await history.list_of(programs)
    vaults = _vaults(history.ordered(), decoded)
    state = await _shown(chain, vaults)
    history.lists.clear()
    await history.list_of([*programs, tokenomics.MINT, *vaults, *also])
    while (more := _vaults(history.ordered(), decoded)) - vaults:
        vaults = more
        state = await _shown(chain, vaults)
        await history.list_of(vaults)
    ledger, differing = await _compared(history, state, told, decoded, part)
    unlisted = list(history.require_listed(programs))
    if unlisted:
        await history.list_again(programs)
        unlisted = list(history.require_listed(programs))
    tokens, schedules = Tokens(part, history.hidden(history.opaque)), Schedules(part)
    tokens.follow(history.ordered(), ledger.events)
    findings = [
        *history.findings,
        *history.require_ordered(),
        *unlisted,
        *ledger.findings,
        *differing,
        *tokens.findings,
        *tokens.held(state.tokens, state.first, state.last),
        *tokens.minted(state.tokens.get(tokenomics.MINT), state.first, state.last),
        *([] if differing else _short(ledger, tokens, state, part)),
        *schedules.follow(ledger.events, ledger.stopped, {each.where for each in ledger.findings}),
    ]
    unchecked = (*history.unchecked, *_stopped(ledger), *_hidden(tokens))
    accounts = sum(map(len, state.accounts.values()))
    return Rebuilt(history, ledger, tokens, accounts, schedules.checked, tuple(findings), unchecked)


def _vaults(history: Iterable[Executed], decoded: Decoded) -> set[Pubkey]:
    """All vaults that events make, by a first look at them."""
    tokens = Tokens(NAME)
    for executed in history:
        for each in decoded.of(executed).events:
            tokens.vaults.told(each.program.name, each.event)
    return set(tokens.vaults.named)


async def _shown(chain: ChainReader, vaults: Iterable[Pubkey]) -> _State:
    """What the chain shows now; returns once all of it is final."""
    slots, accounts = {}, {}
    for name, program in PROGRAMS.items():
        slots[name], accounts[name] = await chain.snapshot(program.address)
    first = (await chain.clock()).slot
    addresses = [tokenomics.MINT, *vaults]
    tokens = dict(zip(addresses, await chain.accounts(addresses), strict=True))
    last = (await chain.clock()).slot
    for _ in range(FINAL_SECONDS):
        if await chain.slot(Commitment.FINALIZED) >= last:
            return _State(slots, accounts, tokens, first, last)
        await asyncio.sleep(1)
    raise ChainUnreachable(f"the chain isn't final up to slot {last} after {FINAL_SECONDS} s: try again")


async def _compared(
    history: History, state: _State, told: Told, decoded: Decoded, part: str
) -> tuple[Ledger, list[Finding]]:
    """The ledger, and where accounts aren't the ledger's once their own lists were read, too."""
    for look in range(LOOKS + 1):
        ledger = Ledger(part, state.slots, _lost(history), decoded)
        ledger.fold(history.ordered())
        differing = [
            each
            for at, name in enumerate(PROGRAMS)
            for each in _of_program(ledger, name, state.accounts[name], told, at)
        ]
        places = {Pubkey.from_string(each.where) for each in differing} | ledger.puzzles
        unread = sorted(places - history.lists.keys() - set(WELL_KNOWN.values()), key=bytes)[:MOST_LISTS]
        if look == LOOKS or not unread or not await history.list_of(unread):
            break
    return ledger, differing


def _lost(history: History) -> dict[str, str]:
    """Programs of which a transaction isn't to be had, and why nothing is known of their accounts."""
    hidden = history.hidden(history.lost)
    why = "a transaction that their program's list has isn't to be had"
    return {name: why for name, program in PROGRAMS.items() if program.address in hidden}


def _of_program(
    ledger: Ledger, name: str, found: Mapping[Pubkey, Account], told: Told, at: int
) -> list[Finding]:
    told("comparing accounts", at + 1, len(PROGRAMS))
    return [] if name in ledger.stopped else list(ledger.differences(name, found))


def _stopped(ledger: Ledger) -> list[Unchecked]:
    """What is behind an event that can't have happened is known of no account of the program."""
    return [Unchecked(f"accounts of {name}", why) for name, why in ledger.stopped.items()]


def _hidden(tokens: Tokens) -> list[Unchecked]:
    """Vaults, and the mint, of which a transaction isn't known whole."""
    why = "not all is known of a transaction that names it"
    names = {tokenomics.MINT: "the mint's supply", **tokens.vaults.named}
    return [Unchecked(f"{name} ({at})", why) for at, name in names.items() if at in tokens.hidden]


def _short(ledger: Ledger, tokens: Tokens, state: _State, part: str) -> list[Finding]:
    """Vaults that have less than the accounts that follow from events say that they owe.

    Only where the chain shows these accounts, too: otherwise what is owed isn't known. All as of one slot,
    the first of those that accounts were read at.
    """
    if ledger.stopped:
        return []
    slot = min(state.slots.values())
    same = set(state.slots.values()) == {slot}
    books = ledger.books if same else {name: ledger.book_at(name, slot) for name in PROGRAMS}
    found = []
    for vault, amount in owed(books).items():
        name = tokens.vaults.named.get(vault, "vault")
        held = tokens.held_at(vault, slot, held_in(state.tokens.get(vault)), state.first, state.last)
        if held < amount and vault not in tokens.hidden:
            found.append(Finding(part, Code.VAULT_SHORT, str(vault), name, slot, amount, held, None))
    return found


async def _rows(url: str | None, ledger: Ledger) -> Rows | None:
    if url is None:
        return None
    database = Database(url)
    try:
        rows = Rows(database, NAME)
        await rows.compare(ledger)
        return rows
    finally:
        await database.close()
