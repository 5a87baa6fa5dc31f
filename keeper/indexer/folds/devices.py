"""What staking's events do to devices: the program's own transitions, which follow from time alone.

Times are those of the transactions, which are what the program's clock showed.
"""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import staking as client
from keeper.clients.staking import PROGRAM
from keeper.economy.staking import CoStakeState, minimum
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds.roles import NOBODY

NO_CO_STAKE: Fields = {
    "staker": NOBODY,
    "amount": 0,
    "until": 0,
    "reward_bps": 0,
    "state": int(CoStakeState.NONE),
    "_pad": bytes(5),
}

COUNTED = ("hired_seconds", "leases_done", "leases_failed", "disputes")
"""What a device's record is."""


def registered(book: Book, event: Fields, at: int) -> None:
    """A device exists."""
    address, bump = PROGRAM.pda_and_bump("register_device", "device", worker=event["worker"])
    values = {name: value for name, value in event.items() if name not in ("device", "at")}
    book.create("Device", address, bump, registered_at=event["at"], changed_at=event["at"], **values)


def changed(book: Book, event: Fields, at: int) -> None:
    """Asks, country, tier or what the worker may changed."""
    names = ("tier", "country", "ask_io", "ask_usdc", "worker_may_end", "changed_at")
    _device(book, event).update({name: event[name] for name in names})


def payout_changed(book: Book, event: Fields, at: int) -> None:
    """Another wallet gets the supplier's rewards."""
    _device(book, event).update(payout=event["to"], changed_at=event["changed_at"])


def terminated(book: Book, event: Fields, at: int) -> None:
    """The device no longer earns and can't be leased."""
    device = _device(book, event)
    device.update(terminated=True, sufficient_since=0)
    _close_offer(device)


def closed(book: Book, event: Fields, at: int) -> None:
    """The account is gone."""
    book.close("Device", event["device"])


def staked(book: Book, event: Fields, at: int) -> None:
    """Own stake came in."""
    device = _settled(book, event, at)
    device.update(own=event["own"], sufficient_since=event["sufficient_since"])
    _count(book, event["amount"])


def overflow_withdrawn(book: Book, event: Fields, at: int) -> None:
    """Own stake that wasn't needed went back."""
    device = _settled(book, event, at)
    device["own"] = event["own"]
    _refresh(book, device, at)
    _count(book, -event["amount"])


def unstaked(book: Book, event: Fields, at: int) -> None:
    """The own stake cools, and a co-stake with it."""
    device = _settled(book, event, at)
    device["own"] = 0
    device["own_cooling"] += event["own"]
    device["own_until"] = event["until"]
    _close_offer(device)
    if device["co"]["state"] in (CoStakeState.ACTIVE, CoStakeState.WAITING):
        _cool(device["co"], event["until"])
        _settle(book, device, at)
    _refresh(book, device, at)


def withdrawn(book: Book, event: Fields, at: int) -> None:
    """Cooled own stake went back; this doesn't settle the device."""
    _device(book, event).update(own_cooling=0, own_until=0)
    _count(book, -event["amount"])


def offer_opened(book: Book, event: Fields, at: int) -> None:
    """The supplier looks for a co-staker."""
    device = _settled(book, event, at)
    device.update(offer=event["amount"], offer_reward_bps=event["reward_bps"])


def offer_closed(book: Book, event: Fields, at: int) -> None:
    """The supplier looks no more."""
    _close_offer(_device(book, event))


def co_staked(book: Book, event: Fields, at: int) -> None:
    """A co-staker took the offer."""
    device = _settled(book, event, at)
    if event["replaced"] != NOBODY:
        _cool(device["co"], at + _params(book)["cooldown"])
        _settle(book, device, at)
    terms = {name: event[name] for name in ("staker", "amount", "reward_bps")}
    device["co"] = {**NO_CO_STAKE, **terms, "state": int(CoStakeState.ACTIVE)}
    device["sufficient_since"] = event["sufficient_since"]
    _close_offer(device)
    book.change("Wallet", client.wallet_address(event["staker"]))["co_stakes"] += 1
    _count(book, event["amount"])


def co_staker_left(book: Book, event: Fields, at: int) -> None:
    """A co-staker waits to leave; this doesn't settle the device."""
    _device(book, event)["co"].update(state=int(CoStakeState.WAITING), until=event["until"])


def co_stake_withdrawn(book: Book, event: Fields, at: int) -> None:
    """A cooled co-stake went back: the one that has cooled longer, when both are due."""
    device = _settled(book, event, at)
    leaving = device["leaving"]
    is_leaving = (leaving["state"], leaving["staker"]) == (CoStakeState.COOLING, event["staker"])
    place = "leaving" if is_leaving and at >= leaving["until"] else "co"
    device[place] = dict(NO_CO_STAKE)
    _settle(book, device, at)
    book.change("Wallet", client.wallet_address(event["staker"]))["co_stakes"] -= 1
    _count(book, -event["amount"])


def settled(book: Book, event: Fields, at: int) -> None:
    """What time did was written down."""
    _settled(book, event, at)["sufficient_since"] = event["sufficient_since"]


def slashed(book: Book, event: Fields, at: int) -> None:
    """Stake was burned; the config and the slash are staking.py's."""
    device = _settled(book, event, at)
    device.update(own=event["own"], own_cooling=event["own_cooling"], slash_pending=False)
    device["frozen_until"] = event["frozen_until"]
    device["co"]["amount"] = event["co"]
    device["leaving"]["amount"] = event["leaving"]
    _refresh(book, device, at)


def leased(book: Book, event: Fields, at: int) -> None:
    """The orders program leased the device."""
    last = {"last_order": event["order"], "last_order_at": event["opened_at"]}
    _device(book, event).update(lease=event["lease"], leases=event["number"], **last)


def freed(book: Book, event: Fields, at: int) -> None:
    """The device can be leased again, once no bar holds; what became of the lease was counted."""
    device = _device(book, event)
    if event["barred_until"] != device["barred_until"]:
        # A strike: a later bar ends later than any before it.
        device["served_at_strike"] = event["hired_seconds"]
    counted = {name: event[name] for name in (*COUNTED, "strikes", "barred_until")}
    device.update(lease=NOBODY, **counted)


def lease_recorded(book: Book, event: Fields, at: int) -> None:
    """What was found later about a lease was counted."""
    _device(book, event).update({name: event[name] for name in COUNTED})


FOLDS: Mapping[str, Fold] = {
    "DeviceRegistered": registered,
    "DeviceChanged": changed,
    "PayoutChanged": payout_changed,
    "DeviceTerminated": terminated,
    "DeviceClosed": closed,
    "Staked": staked,
    "OverflowWithdrawn": overflow_withdrawn,
    "Unstaked": unstaked,
    "Withdrawn": withdrawn,
    "OfferOpened": offer_opened,
    "OfferClosed": offer_closed,
    "CoStaked": co_staked,
    "CoStakerLeft": co_staker_left,
    "CoStakeWithdrawn": co_stake_withdrawn,
    "DeviceSettled": settled,
    "DeviceLeased": leased,
    "DeviceFreed": freed,
    "LeaseRecorded": lease_recorded,
}


# -- the program's own steps ---------------------------------------------------------------------


def _device(book: Book, event: Fields) -> Fields:
    return book.change("Device", event["device"])


def _params(book: Book) -> Fields:
    params: Fields = book.get("Config", client.CONFIG)["params"]
    return params


def _count(book: Book, amount: int) -> None:
    book.change("Config", client.CONFIG)["staked"] += amount


def _close_offer(device: Fields) -> None:
    device.update(offer=0, offer_reward_bps=0)


def _settled(book: Book, event: Fields, at: int) -> Fields:
    device = _device(book, event)
    _settle(book, device, at)
    return device


def _settle(book: Book, device: Fields, at: int) -> None:
    """A wait that ended is a cooldown; what cools makes room for the next co-stake."""
    co = device["co"]
    if co["state"] == CoStakeState.WAITING and at >= co["until"]:
        _cool(co, co["until"] + _params(book)["cooldown"])
    if co["state"] == CoStakeState.COOLING and device["leaving"]["state"] == CoStakeState.NONE:
        device["leaving"], device["co"] = co, dict(NO_CO_STAKE)


def _cool(co: Fields, until: int) -> None:
    co.update(state=int(CoStakeState.COOLING), until=until)


def _refresh(book: Book, device: Fields, at: int) -> None:
    """Note since when the stake has been sufficient."""
    row = book.get("Class", client.class_address(device["class"]))
    pending = row["pending_at"] and at >= row["pending_at"]
    needed = minimum(row["pending_multiplier" if pending else "multiplier"], device["processors"])
    co = device["co"]
    waits = co["state"] == CoStakeState.WAITING and at < co["until"]
    counted = device["own"] + (co["amount"] if waits or co["state"] == CoStakeState.ACTIVE else 0)
    if device["terminated"] or counted < needed:
        device["sufficient_since"] = 0
    elif device["sufficient_since"] == 0:
        device["sufficient_since"] = at
