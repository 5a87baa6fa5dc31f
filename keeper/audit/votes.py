"""What operators attested of an hour, held to what is right, to the files, and to what became final."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from solders.pubkey import Pubkey

from keeper.audit.findings import Code, Finding
from keeper.clients import staking
from keeper.clients.staking import Attestation
from keeper.tables import Rows, keys

PART = "hours"


@dataclass(frozen=True, slots=True)
class Vote:
    """An event ``Attested``: what an operator attested, and in which slot."""

    operator: Pubkey
    slot: int
    what: Attestation


@dataclass(frozen=True, slots=True)
class Claim:
    """An event ``RewardClaimed``: what a wallet has had in all by then, base units."""

    wallet: Pubkey
    slot: int
    claimed: int


def attested(
    hour: int, votes: Sequence[Vote], sound: Mapping[bytes, Attestation], right: Attestation | None
) -> Iterator[Finding]:
    """Votes for something else than an hour that is right.

    ``sound`` are the published hours in which nothing is wrong, by their manifests' hashes; ``right`` is what
    follows from the chain and the files, None where that isn't known. A vote for an hour that nobody has
    published is for nothing that can be right, once one that is right is known.
    """
    for vote in votes:
        expected = sound.get(vote.what.data_hash) or right or next(iter(sound.values()), None)
        if expected is None:
            continue
        for each in fields(Attestation):
            one, other = getattr(expected, each.name), getattr(vote.what, each.name)
            if one != other:
                signer = str(vote.operator)
                where = str(staking.block_address(hour))
                yield Finding(
                    PART,
                    Code.ATTESTATION_DIFFERS,
                    where,
                    each.name,
                    vote.slot,
                    _said(one),
                    _said(other),
                    signer,
                )


def conflicts(hour: int, votes: Sequence[Vote], agreed: bytes | None) -> Iterator[Finding]:
    """Different things that were attested for one hour, each against what was agreed on, or the first."""
    groups: dict[Attestation, list[Vote]] = {}
    for vote in votes:
        groups.setdefault(vote.what, []).append(vote)
    if len(groups) < 2:  # noqa: PLR2004 - one alone conflicts with nothing
        return
    base = next((each for each in groups if each.data_hash == agreed), next(iter(groups)))
    where, theirs = str(staking.block_address(hour)), _operators(groups[base])
    for what, some in groups.items():
        if what != base:
            row = f"{_operators(some)} against {theirs}"
            signer = ", ".join(dict.fromkeys([*map(_operator, some), *map(_operator, groups[base])]))
            values = base.data_hash.hex(), what.data_hash.hex()
            yield Finding(PART, Code.ATTESTATION_CONFLICT, where, row, some[0].slot, *values, signer)


def finalised(
    hour: int, what: Attestation, slot: int, votes: Sequence[Vote], threshold: int
) -> Iterator[Finding]:
    """An hour that is final as something that fewer operators than have to agree attested."""
    for_it = {vote.operator for vote in votes if vote.what == what}
    if len(for_it) < threshold:
        signer = ", ".join(sorted(map(str, for_it))) or None
        where, row = str(staking.block_address(hour)), "data_hash"
        expected = f"{threshold} operators' attestation of {what.data_hash.hex()}"
        found = f"that of {len(for_it)}"
        yield Finding(PART, Code.BLOCK_UNAGREED, where, row, slot, expected, found, signer)


def claims(hour: int, made: Sequence[Claim], wallets: Rows, signer: str | None) -> Iterator[Finding]:
    """Claims by an hour's root that paid more than the wallet's leaf has; ``signer`` signed for the root."""
    if not made:
        return
    column = keys([each.wallet for each in made])
    at = wallets["wallet"].searchsorted(column)
    for each, key, place in zip(made, column, at.tolist(), strict=True):
        there = place < len(wallets) and wallets["wallet"][place] == key
        lifetime = int(wallets["lifetime"][place]) if there else 0
        if each.claimed > lifetime:
            where = str(staking.wallet_address(each.wallet))
            row = f"claimed by hour {hour}, {each.wallet}"
            yield Finding(PART, Code.CLAIM_UNFOUNDED, where, row, each.slot, lifetime, each.claimed, signer)


def _operators(votes: Sequence[Vote]) -> str:
    return ", ".join(dict.fromkeys(map(_operator, votes)))


def _operator(vote: Vote) -> str:
    return str(vote.operator)


def _said(value: bytes | int) -> str | int:
    return value.hex() if isinstance(value, bytes) else value
