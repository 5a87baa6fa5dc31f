"""The staking program's arithmetic, the keeper's and the model's agree on the vectors that Rust wrote.

programs/staking/tests/vectors.rs computes tests/vectors/staking_*.json.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking, tokenomics
from keeper.economy.calendar import HOUR
from keeper.economy.classes import Bounds, holds_from, next_price, price_at
from keeper.economy.staking import CoStake, counted, minimum, next_bar
from keeper.rewards.tree import leaf
from tests.model.staking import blocks as staking_blocks
from tests.model.staking import state
from tests.model.staking.prices import price_leaf
from tests.model.staking.program import Staking
from tests.model.state import REWARD_VAULT, Refused, wallet
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Config
from tests.reference.test_vectors import VECTORS, rows

WALLET, DEVICE, ANYBODY = b"w" * 32, b"d" * 32, b"a" * 32
EVIDENCE = b"e" * 32
CLASS = 1
CLASS_ROW = staking.Class(
    *(CLASS, 100, 0, 0, 0, 0, "X"),
    *(0, 0, Bounds(), Bounds(), 0, 0, 0, 0, 0),
)
"""A class that isn't leased for anything."""


def model(now: int, **params: int) -> Staking:
    """A model with nothing staked and nothing earned."""
    economy = Tokenomics(
        ANYBODY, ANYBODY, ANYBODY, ANYBODY, now=now, config=Config(ANYBODY, ANYBODY, ANYBODY)
    )
    economy.tokens |= {state.STAKE_VAULT: 2**64, REWARD_VAULT: 2**64, wallet(WALLET): 0}
    config = state.StakingConfig(ANYBODY, ANYBODY, state.Params((ANYBODY,), 1, **params))
    return Staking(economy, bytes(staking.PROGRAM.address), ANYBODY, ANYBODY, config)


def machine(processors: int = 1) -> state.Device:
    """A device of the one class."""
    return state.Device(ANYBODY, ANYBODY, ANYBODY, CLASS, processors, 1, b"CH", 0, 0, 0)


def test_staking_minimum() -> None:
    for row in rows("staking_minimum"):
        fields = row["multiplier"], row["pending_multiplier"], row["pending_at"]
        of_class = replace(
            CLASS_ROW, multiplier=fields[0], pending_multiplier=fields[1], pending_at=fields[2]
        )
        assert minimum(of_class.multiplier_at(row["now"]), row["processors"]) == row["minimum"]
        reference = model(row["now"])
        reference.classes[CLASS] = state.Class(CLASS, b"X", fields[0], 0, 0, *fields[1:])
        assert reference._minimum(machine(row["processors"]), CLASS) == row["minimum"]


def test_staking_counted() -> None:
    for row in rows("staking_counted"):
        own, amount, until, co_state = (row[name] for name in ("own", "co_amount", "co_until", "co_state"))
        co = CoStake(Pubkey.default(), amount, until, 0, co_state)
        assert counted(own, co, row["now"]) == row["counted"]
        device = machine()
        device.own, device.co = own, state.CoStake(ANYBODY, amount, until, 0, co_state)
        assert device.counted(row["now"]) == row["counted"]


def test_staking_slash() -> None:
    for row in rows("staking_slash"):
        reference = model(now=1)
        reference.classes[CLASS] = state.Class(CLASS, b"X", 100, 0, 0)
        device = machine()
        device.own, device.own_cooling, co, leaving = row["before"]
        device.co = state.CoStake(ANYBODY, co, 0, 0, state.COOLING)
        device.leaving = state.CoStake(ANYBODY, leaving, 0, 0, state.COOLING)
        reference.devices[DEVICE] = device
        slash = state.Slash(DEVICE, EVIDENCE, 0, row["bps"], state.PENDING, {0: row["bps"]})
        reference.slashes[DEVICE, EVIDENCE] = slash
        _, event = reference.execute_slash(DEVICE, CLASS, EVIDENCE)
        assert [event[name] for name in ("own", "own_cooling", "co", "leaving")] == row["after"]
        assert event["burned"] == row["burned"] == sum(row["before"]) - sum(row["after"])


def test_staking_claim() -> None:
    for row in rows("staking_claim"):
        # The open half of the limit is as large as 64 bits.
        reference = model(now=1, wallet_share_bps=row["share_bps"], claim_limit=2**65)
        assert reference.config
        reference.config.final_total = 2**64
        holder = state.Wallet(WALLET, row["opened_total"], claimed=row["claimed"])
        reference.wallets[WALLET] = holder
        root = staking_blocks.leaf(reference.program, ANYBODY, WALLET, row["lifetime"])
        said = state.Said(root, row["total"], 1, EVIDENCE)
        reference.blocks[0] = state.Block(0, ANYBODY, 0, state.FINAL, agreed=said)
        if row["refusal"]:
            with pytest.raises(Refused, match=row["refusal"]):
                reference.claim(0, WALLET, row["lifetime"], b"")
        else:
            _, event = reference.claim(0, WALLET, row["lifetime"], b"")
            assert event["amount"] == row["amount"] <= row["lifetime"] - row["claimed"]
            assert event["claimed"] == row["claimed"] + row["amount"]


def test_staking_price() -> None:
    for row in rows("staking_price"):
        assert next_price(row["price"], row["step"], row["low"], row["high"]) == row["next_price"]
        if row["step"] and not row["price_hour"]:
            # No hour, no step: nothing writes such an account.
            continue
        step_at = holds_from(row["price_hour"]) if row["price_hour"] else 0
        wanted = row["amount"], row["low_now"], row["high_now"]
        found = price_at(
            row["now"],
            row["price"],
            (row["low"], row["high"]),
            step=row["step"],
            step_at=step_at,
            next_bounds=(row["next_low"], row["next_high"]),
            bounds_at=row["bounds_at"],
        )
        assert found == wanted
        fields = {f"{name}_io": row[name] for name in ("price", "low", "high", "next_low", "next_high")}
        times = {name: row[name] for name in ("bounds_at", "price_hour")}
        reference = state.Class(CLASS, b"X", 100, 0, 0, **fields, **times, next_io=row["step"])
        now = row["now"]
        assert (reference.price_of("io", now), *reference.bounds_of("io", now)) == wanted
        assert reference.is_stale(now) == row["stale"]


def test_staking_price_leaf() -> None:
    for row in rows("staking_price_leaf"):
        steps = row["step_io"], row["step_usdc"]
        assert price_leaf(row["hour"], row["class"], steps).hex() == row["leaf"]


def test_staking_bar() -> None:
    for row in rows("staking_bar"):
        assert next_bar(row["strikes"], row["served"]) == row["bar"]
        reference = model(now=10**9)
        assert reference.config
        device = machine()
        device.lease, device.strikes = EVIDENCE, row["strikes"]
        device.served_at_strike, device.hired_seconds = 7, 7 + row["served"]
        reference.devices[DEVICE] = device
        authority = reference.config.lease_authority
        reference.free_device(authority, DEVICE, EVIDENCE, 0, state.NEVER_SERVED, 1)
        assert (device.barred_until - 10**9, device.strikes) == (row["bar"], row["strikes_after"])


def test_staking_reserve() -> None:
    """What of a claim the hour leaves, by itself: a root that pays is tested elsewhere."""
    for row in rows("staking_reserve"):
        now = 480_000 * HOUR
        reference = model(now + HOUR * row["next_hour"], claim_limit=row["limit"])
        assert reference.config
        reference.config.claim_hour = now // HOUR
        reference.config.claimed_in_hour = row["claimed_in_hour"]
        reference.config.reserve_in_hour = row["reserve_in_hour"]
        holder = state.Wallet(WALLET, 0, claim_hour=now // HOUR, claimed_in_hour=row["taken"])
        if row["amount"] is None:
            with pytest.raises(Refused, match="ClaimLimit"):
                reference._of_the_hour(holder, row["due"], row["signed"])
        else:
            found = reference._of_the_hour(holder, row["due"], row["signed"])
            assert found == (row["reserve"], row["amount"])


def test_staking_hashes() -> None:
    for row in rows("staking_hashes"):
        names = ("program", "mint", "wallet", "root", "data_hash")
        program, mint, owner, root, data_hash = (bytes.fromhex(row[name]) for name in names)
        assert program == bytes(staking.PROGRAM.address)
        hashed = staking_blocks.leaf(program, mint, owner, row["lifetime"])
        assert hashed.hex() == row["leaf"]
        said = staking.Attestation(root, row["lifetime"], row["devices"], data_hash)
        assert said.hash.hex() == row["attestation"]
        # The keeper's leaf is of the one mint that there is.
        ours = staking_blocks.leaf(program, bytes(tokenomics.MINT), owner, row["lifetime"])
        assert leaf(Pubkey(owner), row["lifetime"]) == ours


@pytest.mark.parametrize("name", [path.stem for path in sorted(VECTORS.glob("staking_*.json"))])
def test_every_file_has_its_test(name: str) -> None:
    assert f"test_{name}" in globals()
