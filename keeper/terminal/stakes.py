"""What ``ionet stake`` and ``ionet co-stake`` show: stakes with their dates, offers with their terms."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.economy import staking as economy
from keeper.economy.calendar import moment
from keeper.economy.supply import io
from keeper.rewards.estimate import Estimate
from keeper.terminal.answers import looking
from keeper.terminal.tables import plain
from keeper.wallet.stakes import Staked, held_words


def of_wallet(found: Sequence[Staked], owner: Pubkey) -> list[Table]:
    """A wallet's own devices, then its co-stakes; a table only where there is one."""
    own, co = _own(found, owner), _held(found, owner)
    shown = []
    if own:
        table = plain("Your devices", "device", "class", "staked IO", "minimum IO", "above it IO", "state")
        table.columns[1].justify = table.columns[5].justify = "left"
        for each in own:
            table.add_row(
                _address(each),
                each.of_class.name,
                io(each.counted, 2),
                io(each.minimum, 2),
                io(each.overflow, 2),
                own_words(each),
            )
        shown.append(table)
    if co:
        table = plain("Your co-stakes", "device", "class", "staked IO", "share", "state")
        table.columns[1].justify = table.columns[4].justify = "left"
        for each, held in co:
            share = f"{held.reward_bps / 100:g} %"
            table.add_row(
                _address(each), each.of_class.name, io(held.amount, 2), share, held_words(held, each.now)
            )
        shown.append(table)
    return shown


def own_words(at: Staked) -> str:
    """How a device's own stake and its co-staker stand, in words."""
    device = at.device
    if device.own_cooling:
        cooled = at.now >= device.own_until
        when = "can be taken out" if cooled else f"cool until {moment(device.own_until)}"
        return f"{io(device.own_cooling, 2)} IO {when}"
    if device.slash_pending:
        return "slash pending"
    enough = at.counted >= at.minimum
    state = economy.supplier_state(device.own, device.offer, device.co, at.minimum, at.now)
    words = "sufficient" if enough else f"{io(at.minimum - at.counted, 2)} IO missing"
    return words if state is economy.OfferState.CLOSED else f"{words}; {state}"


def offers(found: Sequence[Staked]) -> Table:
    """Devices that look for a co-staker, those that share most first."""
    columns = ("device", "class", "asks IO", "share", "needs IO more", "hours hired", "done", "failed")
    table = plain("Offers to co-stakers", *columns)
    table.columns[1].justify = "left"
    for each in sorted(found, key=lambda at: (-at.device.offer_reward_bps, at.device.offer)):
        device = each.device
        table.add_row(
            _address(each),
            f"{device.processors} x {each.of_class.name}",
            io(device.offer, 2),
            f"{device.offer_reward_bps / 100:g} %",
            io(missing(each), 2),
            f"{device.hired_seconds // 3_600:,}",
            f"{device.leases_done:,}",
            f"{device.leases_failed:,}",
        )
    return table


def missing(at: Staked) -> int:
    """What its supplier has to stake more before the offer can be taken, base units."""
    return max(0, at.minimum - at.device.own - at.device.offer)


def offer_json(at: Staked) -> looking.CoStakeOffer:
    """An offer for programs: amounts in base units as text."""
    device = at.device
    return {
        "device": _address(at),
        "class": at.of_class.name,
        "processors": device.processors,
        "amount": str(device.offer),
        "reward_bps": device.offer_reward_bps,
        "missing": str(missing(at)),
        "hired_seconds": device.hired_seconds,
        "leases_done": device.leases_done,
        "leases_failed": device.leases_failed,
    }


def estimated(found: Estimate) -> Table:
    """What a device would have earned, and what that is of the stake that it needs."""
    hours = len(found.earned)
    first, last = min(found.earned), max(found.earned)
    table = plain(f"Had it been there in emission hours {first} to {last}", "", "")
    table.add_row(f"in these {hours:,} hours, IO", io(found.total))
    table.add_row("in a day like these, IO", io(found.daily))
    table.add_row("the least of an hour, IO", io(min(found.earned.values())))
    table.add_row("the most of an hour, IO", io(max(found.earned.values())))
    table.add_row("the stake that it needs, IO", io(found.stake))
    table.add_row("in a year, of that stake", f"{found.yearly_bps / 100:,.2f} %")
    return table


def estimate_json(found: Estimate) -> looking.Estimate:
    """The same for programs: amounts in base units as text."""
    return {
        "hours": {str(hour): str(amount) for hour, amount in found.earned.items()},
        "total": str(found.total),
        "daily": str(found.daily),
        "stake": str(found.stake),
        "yearly_bps": found.yearly_bps,
    }


def as_json(found: Sequence[Staked], owner: Pubkey) -> looking.Stakes:
    """A wallet's stakes for programs: amounts in base units as text, times unix seconds."""
    return {
        "wallet": str(owner),
        "devices": [
            {
                "device": _address(each),
                "class": each.of_class.name,
                "own": str(each.device.own),
                "counted": str(each.counted),
                "minimum": str(each.minimum),
                "overflow": str(each.overflow),
                "cooling": str(each.device.own_cooling),
                "cooling_until": each.device.own_until,
                "offer": str(each.device.offer),
                "offer_reward_bps": each.device.offer_reward_bps,
                "slash_pending": each.device.slash_pending,
                "frozen_until": each.device.frozen_until,
            }
            for each in _own(found, owner)
        ],
        "co_stakes": [
            {
                "device": _address(each),
                "class": each.of_class.name,
                "amount": str(held.amount),
                "reward_bps": held.reward_bps,
                "state": economy.CoStakeState(held.state).name.lower(),
                "until": held.until,
            }
            for each, held in _held(found, owner)
        ],
    }


def _own(found: Sequence[Staked], owner: Pubkey) -> list[Staked]:
    return [each for each in found if each.device.supplier == owner]


def _held(found: Sequence[Staked], owner: Pubkey) -> list[tuple[Staked, economy.CoStake]]:
    return [(each, held) for each in found for held in each.co_stakes if held.state and held.staker == owner]


def _address(at: Staked) -> str:
    return str(staking.device_address(at.device.worker))
