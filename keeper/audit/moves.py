"""What events say of the protocol's vaults: by each event, what came into which vault, or left it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.chain.program import Fields
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.orders import Currency

Moves = Iterator[tuple[Pubkey, int]]
"""Vaults, and base units that came in; negative for what left."""


class Vaults:
    """The vaults that there are, as events come: whose each is, and what it is called."""

    def __init__(self) -> None:
        """Know those that no event makes."""
        self.named: dict[Pubkey, str] = {}
        """Vaults by address, for people."""
        self.mints: dict[Pubkey, Pubkey] = {}
        """The mint of each."""
        self.owners: dict[Pubkey, Pubkey] = {}
        """Who may move what is in each: an address of its program."""
        self.closed: set[Pubkey] = set()
        """Those that were emptied for good."""
        self._fees: dict[Pubkey, Pubkey] = {}
        """Vaults of fees, by mint."""
        self._mint_of: dict[Pubkey, Pubkey] = {}
        """The currency's mint, by order."""
        self._currencies: dict[int, Pubkey] = {}
        """Mints of the currencies of orders."""
        self._for_sale: dict[Currency, Pubkey] = {}
        """Buyback's vaults."""

    def told(self, program: str, event: Event) -> list[tuple[Pubkey, int]] | None:
        """What an event says of vaults; what it says of vaults that there are from now on is noted.

        None where that isn't known, as an event before it is missing, which the ledger finds.
        """
        known = _TOLD.get(program, {}).get(event.name)
        try:
            return list(known(self, event.fields)) if known else []
        except LookupError:
            return None

    def _add(self, vault: Pubkey, name: str, mint: Pubkey, owner: Pubkey) -> None:
        self.named[vault], self.mints[vault], self.owners[vault] = name, mint, owner
        self.closed.discard(vault)

    # -- tokenomics and staking --------------------------------------------------------------

    def _launched(self, event: Fields) -> Moves:
        self._add(tokenomics.GENESIS_VAULT, "vesting", tokenomics.MINT, tokenomics.CONFIG)
        yield tokenomics.GENESIS_VAULT, event["minted"]

    def _begun(self, event: Fields) -> Moves:
        owner = staking.PROGRAM.pda("claim", "reward_authority")
        self._add(event["reward_vault"], "rewards", event["mint"], owner)
        return iter(())

    def _emitted(self, event: Fields) -> Moves:
        yield tokenomics.REWARD_VAULT, event["amount"]

    def _released(self, event: Fields) -> Moves:
        yield tokenomics.GENESIS_VAULT, -event["amount"]

    def _season_opened(self, event: Fields) -> Moves:
        number = event["season"]
        vault = tokenomics.season_vault_address(number)
        self._add(vault, f"airdrop season {number}", tokenomics.MINT, tokenomics.season_address(number))
        yield vault, sum(event["pools"])

    def _season_claimed(self, event: Fields) -> Moves:
        yield tokenomics.season_vault_address(event["season"]), -event["amount"]

    def _season_closed(self, event: Fields) -> Moves:
        vault = tokenomics.season_vault_address(event["season"])
        self.closed.add(vault)
        yield vault, -event["returned"]

    def _staking_begun(self, event: Fields) -> Moves:
        self._add(event["stake_vault"], "stakes", event["mint"], staking.CONFIG)
        return iter(())

    def _stake_in(self, event: Fields) -> Moves:
        yield staking.STAKE_VAULT, event["amount"]

    def _stake_out(self, event: Fields) -> Moves:
        yield staking.STAKE_VAULT, -event["amount"]

    def _slashed(self, event: Fields) -> Moves:
        yield staking.STAKE_VAULT, -event["burned"]

    def _reward_claimed(self, event: Fields) -> Moves:
        yield tokenomics.REWARD_VAULT, -event["amount"]

    # -- buyback -----------------------------------------------------------------------------

    def _buyback_begun(self, event: Fields) -> Moves:
        for currency in ("io", "usdc"):
            vault, mint = event[f"{currency}_vault"], event[f"{currency}_mint"]
            self._add(vault, f"fees in {currency.upper()}", mint, buyback.CONFIG)
            self._for_sale[Currency[currency.upper()]] = vault
        return iter(())

    def _sold(self, event: Fields) -> Moves:
        yield self._for_sale[Currency.USDC], -event["lot"]

    def _fees_burned(self, event: Fields) -> Moves:
        yield buyback.IO_VAULT, -event["amount"]

    # -- orders ------------------------------------------------------------------------------

    def _orders_begun(self, event: Fields) -> Moves:
        self._currencies = {Currency.IO: event["io_mint"], Currency.USDC: event["usdc_mint"]}
        self._fees = {event["io_mint"]: event["io_fees"], event["usdc_mint"]: event["usdc_fees"]}
        for currency in ("io", "usdc"):
            mint = event[f"{currency}_mint"]
            self._add(orders.parked_vault_address(mint), f"parked {currency.upper()}", mint, orders.CONFIG)
        return iter(())

    def _booked(self, event: Fields) -> Moves:
        order = event["cluster_id"]
        mint = self._currencies[event["terms"]["currency"]]
        self._mint_of[order] = mint
        self._add(orders.vault_address(order), f"order {order}", mint, order)
        return iter(())

    def _order_in(self, event: Fields) -> Moves:
        yield orders.vault_address(event["cluster_id"]), event["amount"]

    def _order_out(self, event: Fields) -> Moves:
        yield orders.vault_address(event["cluster_id"]), -event["amount"]

    def _worked(self, event: Fields) -> Moves:
        yield orders.vault_address(event["cluster_id"]), event["fee"] - event["amount"]

    def _earned(self, event: Fields) -> Moves:
        yield from self._order_out(event)
        yield self._fees[self._mint_of[event["cluster_id"]]], event["amount"]

    def _order_closed(self, event: Fields) -> Moves:
        vault = orders.vault_address(event["order"])
        self.closed.add(vault)
        yield vault, -event["surplus"]

    def _fees_parked(self, event: Fields) -> Moves:
        yield from self._order_out(event)
        yield from self._parked(event)

    def _parked(self, event: Fields) -> Moves:
        yield orders.parked_vault_address(event["mint"]), event["amount"]

    def _parked_paid(self, event: Fields) -> Moves:
        yield orders.parked_vault_address(event["mint"]), -event["amount"]
        if event["destination"] in self.named:
            yield event["destination"], event["amount"]


_TOLD: Mapping[str, Mapping[str, Callable[[Vaults, Fields], Moves]]] = {
    "tokenomics": {
        "Initialized": Vaults._begun,
        "Launched": Vaults._launched,
        "Emitted": Vaults._emitted,
        "Released": Vaults._released,
        "SeasonOpened": Vaults._season_opened,
        "SeasonClaimed": Vaults._season_claimed,
        "SeasonClosed": Vaults._season_closed,
    },
    "staking": {
        "Initialized": Vaults._staking_begun,
        **dict.fromkeys(("Staked", "CoStaked"), Vaults._stake_in),
        **dict.fromkeys(("OverflowWithdrawn", "Withdrawn", "CoStakeWithdrawn"), Vaults._stake_out),
        "Slashed": Vaults._slashed,
        "RewardClaimed": Vaults._reward_claimed,
    },
    "buyback": {
        "Initialized": Vaults._buyback_begun,
        "AuctionSold": Vaults._sold,
        "FeesBurned": Vaults._fees_burned,
    },
    "orders": {
        "Initialized": Vaults._orders_begun,
        "BookProduct": Vaults._booked,
        "Pay": Vaults._order_in,
        "Worked": Vaults._worked,
        "Refund": Vaults._order_out,
        "Earn": Vaults._earned,
        "OrderClosed": Vaults._order_closed,
        "FeesParked": Vaults._fees_parked,
        "PayParked": Vaults._parked,
        "ParkedPaid": Vaults._parked_paid,
    },
}
"""By program, by event: what it says of vaults."""
