"""What suppliers are about to sign of a device itself: its terms, its payout, its end, an appeal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from solders.pubkey import Pubkey

from keeper.chain.token import create_associated
from keeper.clients import staking, tokenomics
from keeper.clients.staking import NOBODY, Class, Device, Slash, SlashStatus
from keeper.economy.calendar import moment
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.staking import MULTIPLIER_UNIT, minimum
from keeper.economy.supply import io
from keeper.wallet import openings, stakes
from keeper.wallet.openings import earner, tokens
from keeper.wallet.plan import Closing, NothingToDo, Plan
from keeper.wallet.stakes import StakeRefused


def registration(device: Device, amount: int, least: int, has_wallet: bool) -> Plan:
    """Register a device and stake ``amount`` base units on it, of the ``least`` that it needs.

    The payout's wallet and IO account are opened where they are missing.
    """
    payer, to = device.supplier, device.payout
    opening = () if has_wallet else (staking.open_wallet(payer, to),)
    register = staking.register_device(
        payer,
        device.worker,
        to,
        device.device_class,
        processors=device.processors,
        tier=device.tier,
        country=device.country,
        ask_io=device.ask_io,
        ask_usdc=device.ask_usdc,
        worker_may_end=device.worker_may_end,
    )
    staked = stakes.staked(device, amount) if amount else Plan(())
    notes = [f"The device is {staking.device_address(device.worker)}."]
    if amount < least:
        notes.append(
            f"Its minimum stake is {io(least)} IO: with {io(least - amount)} IO less it earns and leases "
            "nothing until you add them with ionet stake add."
        )
    return Plan(
        (create_associated(payer, to, tokenomics.MINT), *opening, register, *staked.instructions),
        staked.movements,
        tuple(notes),
        openings=(tokens(to, payer), earner(to, payer), openings.device(device.worker, payer)),
    )


def about_class(of_class: Class, processors: int, now: int) -> tuple[str, ...]:
    """What comes later of a class, and when, for whoever is about to put IO on a device of it."""
    notes = []
    if not of_class.multiplier_at(now):
        notes.append(
            f"{of_class.name} has no multiplier: devices of it are leased, and earn no block rewards."
        )
    if not of_class.is_open(now):
        notes.append(
            f"{of_class.name} opens {moment(of_class.opens_at)}: until then nobody leases the device, and it "
            "earns nothing."
        )
    if now < of_class.pending_at:
        later = of_class.pending_multiplier
        notes.append(
            f"From {moment(of_class.pending_at)} on its multiplier is {later / MULTIPLIER_UNIT:g} and the "
            f"minimum stake {io(minimum(later, processors))} IO, unless the guardian drops that."
        )
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class Typed:
    """The terms of a device that somebody names; None is for one that stays as it is on chain."""

    tier: int | None = None
    country: str | None = None
    ask_io: int | None = None
    ask_usdc: int | None = None
    worker_may_end: bool | None = None


def change(device: Device, typed: Typed, read_from: str) -> Plan:
    """Change a device's terms: all of them are signed, those that weren't typed as they were read.

    ``read_from`` says from where, in words. Raises NothingToDo, StakeRefused.
    """
    _require_alive(device)
    given = {name: value for name, value in asdict(typed).items() if value is not None}
    after = replace(device, **given)
    if after == device:
        raise NothingToDo("these are the terms that the device has already")
    call = staking.change_device(
        device,
        tier=after.tier,
        country=after.country,
        ask_io=after.ask_io,
        ask_usdc=after.ask_usdc,
        worker_may_end=after.worker_may_end,
    )
    words = _words(after)
    kept = [words[name] for name in words if name not in given]
    notes = [f"As typed: {', '.join(words[name] for name in given)}."]
    if kept:
        notes.append(f"As read from {read_from}, and signed with the rest: {', '.join(kept)}.")
    if (after.tier, after.country) != (device.tier, device.country):
        notes += [
            "Another place or line counts for orders that are opened from now on; a running lease goes on.",
            "Rewards go by the stated tier or the measured one, whichever is lower.",
        ]
    return Plan((call,), notes=tuple(notes))


def untyped(device: Device, typed: Typed) -> str:
    """The options that type all the terms which weren't, as a node tells them; empty where all were."""
    after = {
        "tier": f"--tier {device.tier}",
        "country": f"--country {device.country}",
        "ask_io": f"--ask-io {show(device.ask_io, Currency.IO).replace(',', '')}",
        "ask_usdc": f"--ask-usdc {show(device.ask_usdc, Currency.USDC).replace(',', '')}",
        "worker_may_end": "--worker-ends" if device.worker_may_end else "--worker-keeps",
    }
    return " ".join(option for name, option in after.items() if getattr(typed, name) is None)


def _words(device: Device) -> dict[str, str]:
    return {
        "tier": f"tier {device.tier}",
        "country": f"country {device.country}",
        "ask_io": f"asks {show(device.ask_io, Currency.IO)} IO",
        "ask_usdc": f"asks {show(device.ask_usdc, Currency.USDC)} USDC",
        "worker_may_end": f"its own key {'may' if device.worker_may_end else 'may not'} end leases",
    }


def payout(device: Device, to: Pubkey, has_wallet: bool) -> Plan:
    """Have the supplier's part of what it earns go to another wallet. Raises NothingToDo, StakeRefused."""
    _require_alive(device)
    if to == device.payout:
        raise NothingToDo("that wallet is paid already")
    payer = device.supplier
    opening = () if has_wallet else (staking.open_wallet(payer, to),)
    instructions = (
        create_associated(payer, to, tokenomics.MINT),
        *opening,
        staking.set_payout(device, to),
    )
    notes = (
        f"Rewards of hours from now on, and leases matched from now on, are paid to {to}. What "
        f"{device.payout} "
        "has earned stays its own, and so do running leases.",
        "Orders that are open already don't take the device.",
    )
    return Plan(instructions, notes=notes, openings=(tokens(to, payer), earner(to, payer)))


def terminate(device: Device) -> Plan:
    """End a device for good. Raises NothingToDo, StakeRefused."""
    if device.terminated:
        raise NothingToDo("the device is terminated already: ionet device close gives its deposit back")
    if device.lease != NOBODY:
        raise StakeRefused(
            "the device is leased: end its lease first with ionet order end, or wait for its end"
        )
    staked = device.own + device.co.amount
    notes = [
        "This can't be undone: the device earns and leases nothing any more. Its machine's key can "
        "register a "
        "new one once this one is closed."
    ]
    if staked:
        notes.append(
            f"{io(staked)} IO are staked on it: ionet stake unstake begins their cooldown, after which they "
            "can be taken out; then ionet device close."
        )
    if device.offer:
        notes.append("Its offer to co-stakers is withdrawn.")
    return Plan((staking.terminate_device(device),), notes=tuple(notes))


def close(device: Device) -> Plan:
    """Close a terminated device's account: its rent and deposit come back. Raises StakeRefused."""
    if not device.terminated:
        raise StakeRefused("only a terminated device is closed: ionet device terminate")
    if device.slash_pending:
        raise StakeRefused("operators have voted to slash this device: wait until that is over")
    owed = {
        "its own stake (ionet stake unstake)": device.own,
        "a stake in its cooldown (ionet stake withdraw)": device.own_cooling,
        "a co-stake (ionet co-stake leave and withdraw)": device.co.amount,
        "a co-stake of one who left (ionet co-stake withdraw)": device.leaving.amount,
    }
    for what, amount in owed.items():
        if amount:
            raise StakeRefused(f"{io(amount)} IO are still on it: {what}")
    address = staking.device_address(device.worker)
    closing = Closing("the device's account, with its deposit", address, device.supplier)
    return Plan((staking.close_device(device),), closings=(closing,))


def appeal(device: Device, slash: Slash, statement: bytes, now: int) -> Plan:
    """Put the hash of a statement on record against a slash. Raises StakeRefused."""
    if slash.status != SlashStatus.PENDING:
        raise StakeRefused(
            f"there is nothing to appeal: the slash is {SlashStatus(slash.status).name.lower()}"
        )
    if now >= slash.appeal_until:
        raise StakeRefused(f"the time for an appeal was over at {moment(slash.appeal_until)}")
    notes = (
        f"SHA-256 {statement.hex()} is put on record; publish the statement itself, and send it to the "
        "guardian, "
        f"who can veto the slash until {moment(slash.appeal_until)}.",
    )
    return Plan((staking.appeal_slash(device, slash.evidence, statement),), notes=notes)


def _require_alive(device: Device) -> None:
    if device.terminated:
        raise StakeRefused("the device is terminated")
