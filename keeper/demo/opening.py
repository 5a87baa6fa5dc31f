"""What the demo begins with: who is who, what each wants, and what money there is."""

from __future__ import annotations

from keeper.demo.airdrop import WALLETS
from keeper.demo.buyback import PURSE, WORTH
from keeper.demo.cheats import CHEATS
from keeper.demo.fleet import CLASSES, CO_STAKED, SUPPLIERS
from keeper.demo.network import Network
from keeper.demo.orders import MONEY, Market
from keeper.demo.sheet import Section, Sheet
from keeper.demo.staking import HOURS, OPERATORS, Stakers
from keeper.demo.words import begin_of, start
from keeper.economy.calendar import moment
from keeper.economy.orders import Currency
from keeper.economy.supply import EMISSION_MONTHS, GENESIS_SUPPLY, MILLION, io

MONTHS_IN_YEAR = 12


def section(network: Network, stakers: Stakers, market: Market) -> Section:
    """Who is who."""
    machines = stakers.fleet.machines
    renters = {wish.renter.pubkey() for wish in market.wishes.values()}
    about = (
        f"People rent out computers here, and others rent them: {len(machines)} of them, called devices, of "
        f"{len(CLASSES)} classes, from laptops to data centre cards. Programs on a chain hold all the money "
        "and pay by published rules. What you read happened on a real chain inside this process, and every "
        "figure was compared with its rule."
    )
    table = Sheet("", ["who", "how many", "what they want", "what they bring"], left=(0, 2, 3))
    rows = (
        (
            "suppliers",
            SUPPLIERS,
            "to earn with devices: by being there, and more by being rented",
            _staked(stakers),
        ),
        ("co-stakers", CO_STAKED // 2, "to earn with IO alone", "IO on others' devices, for a share"),
        (
            "renters",
            len(renters),
            "computing, for hours or days",
            f"{io(MONEY[Currency.IO], 0)} IO and {MONEY[Currency.USDC] // 10**6:,} USDC each",
        ),
        (
            "operators",
            OPERATORS,
            "that nobody is paid for nothing",
            "signatures: what two of them say about an hour counts",
        ),
        ("keeper", 1, "that all that is due is done", "it sends it; anybody may"),
        ("bidders", len(WORTH), "the network's fees in USDC", f"{io(PURSE, 0)} IO each, which is burned"),
        (
            "airdrop wallets",
            3 * WALLETS,
            "what they were given for earlier work",
            "a proof that they are in a published list",
        ),
        (
            "admin, guardian",
            2,
            "that rules can change, with a notice",
            "one proposes, one vetoes; neither can pay itself",
        ),
    )
    for who, count, wants, brings in rows:
        table.add_row(who, f"{count:,}", wants, brings)
    emitted = network.months[-1].supply.emitted if network.months else 0
    money = (
        f"The money is IO, the network's own token: {GENESIS_SUPPLY // MILLION} million at the beginning, "
        f"and {emitted // MILLION} million more in {EMISSION_MONTHS // MONTHS_IN_YEAR} years, a little "
        "every hour, for suppliers and co-stakers. USDC is worth a dollar, and orders may be paid in it. "
        "SOL pays for transactions. To stake is to lock IO on a device: it is lost in part if the device "
        "cheats. What is burned is gone for everybody."
    )
    time = (
        f"Hours are numbered from the first one of emission: hour 0 begins at {moment(start())}, hour "
        f"{HOURS - 1} on {begin_of(HOURS - 1)}, and all times are UTC. {len(CHEATS)} of the devices cheat, "
        "and so do two of the three operators, once each: you will see how that is found."
    )
    return Section("who", "Who is who", about, [table, money, time])


def _staked(stakers: Stakers) -> str:
    total = sum(stakers.fleet.stakes.values())
    return f"{len(stakers.fleet.machines)} devices, and with co-stakers {io(total, 0)} IO on them"
