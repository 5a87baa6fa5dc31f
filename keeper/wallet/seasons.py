"""What somebody is about to sign of airdrop seasons and of vesting."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from solders.pubkey import Pubkey

from keeper.chain.token import create_associated
from keeper.clients import tokenomics
from keeper.clients.tokenomics import PAGE_CLAIMS, Allocation, Season, SeasonStatus
from keeper.economy.calendar import moment
from keeper.economy.orders import Currency
from keeper.economy.seasons import HEADER, POOLS, Claim, Distribution, Points, SeasonError, points_file
from keeper.economy.supply import io
from keeper.errors import UserError
from keeper.wallet import openings
from keeper.wallet.openings import tokens
from keeper.wallet.plan import Movement, NamedAccount, NothingToDo, Opening, Plan


class SeasonRefused(UserError):
    """The program would refuse it now; the message says why, and what to do."""


def distribution(season: Season, points: bytes) -> Distribution:
    """Who gets what, from a season's published file of points, which has to be the one on chain.

    Raises SeasonRefused and SeasonError.
    """
    if sha256(points).digest() != season.data_hash:
        raise SeasonRefused(
            f"this is not the file of points that season {season.season} was opened with: its SHA-256 is "
            f"{season.data_hash.hex()}"
        )
    found = Distribution(
        season.season,
        dict(zip(POOLS, season.pools, strict=True)),
        read_points(points),
        program=tokenomics.PROGRAM.address,
        mint=tokenomics.MINT,
    )
    if found.root != season.root:
        raise SeasonRefused(
            f"the root of season {season.season} on chain doesn't follow from its points: whoever opened it "
            "lied; the guardian can cancel it before its claims open"
        )
    return found


def read_points(content: bytes) -> list[Points]:
    """Read a season's published points; raises SeasonError for what :func:`points_file` doesn't write."""
    try:
        header, *lines = content.decode().splitlines()
    except (UnicodeDecodeError, ValueError) as error:
        raise SeasonError("the file of points is no CSV of wallet,pool,points") from error
    if header != HEADER:
        raise SeasonError(f"the file of points begins with {header[:40]!r}, not with {HEADER}")
    found = []
    for number, line in enumerate(lines, start=2):
        wallet, _, rest = line.partition(",")
        pool, _, points = rest.partition(",")
        if pool not in POOLS or not (points.isascii() and points.isdigit()):
            raise SeasonError(f"line {number} of the file of points is no wallet,pool,points: {line[:80]!r}")
        try:
            found.append(Points(Pubkey.from_string(wallet), pool, int(points)))
        except ValueError as error:
            raise SeasonError(f"line {number} of the file of points has no address: {line[:80]!r}") from error
    return found


def open_(admin: Pubkey, number: int, pools: Mapping[str, int], points: bytes, start: int, end: int) -> Plan:
    """Open a season of ``pools``, base units by name, and its canonical file. Raises SeasonRefused."""
    lines = read_points(points)
    if points_file(lines) != points:
        raise SeasonRefused(
            "the file of points isn't in its order: by the wallet's raw bytes, then pool, then points"
        )
    found = Distribution(number, pools, lines, program=tokenomics.PROGRAM.address, mint=tokenomics.MINT)
    total = sum(found.pools)
    movement = Movement(
        NamedAccount("your account", tokenomics.tokens_address(admin)),
        NamedAccount("the season's vault", tokenomics.season_vault_address(number)),
        total,
        Currency.IO,
        f"for {len(found.claims):,} wallets; what they don't claim comes back to you",
    )
    notes = (
        f"Claims are open from {moment(start)} to {moment(end)}. Until they open, the guardian can veto it.",
        f"Publish the file of points: SHA-256 {found.data_hash.hex()}. Without it nobody can claim.",
    )
    opening = tokenomics.open_season(admin, found, start, end)
    return Plan((opening,), (movement,), notes, openings=openings.season(number, admin))


def claim(
    season: Season, found: Distribution, mine: Claim, payer: Pubkey, page: bytes | None, now: int
) -> Plan:
    """Pay a wallet what it got in a season; ``page`` are the bytes of its claim bit's account, None for none.

    Raises SeasonRefused.
    """
    if season.status != SeasonStatus.OPEN:
        raise SeasonRefused(f"season {season.season} was cancelled: nobody can claim of it")
    if now < season.claim_start:
        raise SeasonRefused(f"claims open at {moment(season.claim_start)}")
    if now >= season.claim_end:
        raise SeasonRefused(f"claims were open until {moment(season.claim_end)}: what was left went back")
    number = mine.index // PAGE_CLAIMS
    if page is not None and tokenomics.is_claimed(page, mine.index):
        raise NothingToDo(f"{mine.wallet} has claimed its {io(mine.amount)} IO of season {season.season}")
    opening = () if page else (tokenomics.open_claim_page(payer, season.season, number),)
    call = tokenomics.claim_season(season.season, mine.index, mine.wallet, mine.amount, found.proof(mine))
    movement = Movement(
        NamedAccount("the season's vault", season.vault),
        NamedAccount("the wallet's account", tokenomics.tokens_address(mine.wallet)),
        mine.amount,
        Currency.IO,
        f"season {season.season}",
    )
    claims = Opening(
        "a page of claims, if it is the first",
        tokenomics.claim_page_address(season.season, number),
        tokenomics.PROGRAM.dtype("ClaimPage").itemsize,
        payer,
        "when the season is over, to who paid it",
    )
    making = create_associated(payer, mine.wallet, tokenomics.MINT)
    return Plan((making, *opening, call), (movement,), openings=(tokens(mine.wallet, payer), claims))


def propose_beneficiary(allocation: Allocation, who: Pubkey, to: Pubkey) -> Plan:
    """Offer an allocation to another wallet. Raises SeasonRefused."""
    if who != allocation.beneficiary:
        raise SeasonRefused(f"only its beneficiary {allocation.beneficiary} hands {allocation.label} over")
    note = (
        f"{to} gets all that is still to come of {allocation.label} once it accepts: ionet vesting accept "
        f"{allocation.label}. What is free until then is paid to you."
    )
    return Plan((tokenomics.propose_beneficiary(allocation.id, who, to),), notes=(note,))


def accept_beneficiary(allocation: Allocation, who: Pubkey) -> Plan:
    """Take an allocation over."""
    note = f"All that becomes free of {allocation.label} is paid to {who} from now on."
    making = create_associated(who, who, tokenomics.MINT)
    call = tokenomics.accept_beneficiary(allocation.id, who)
    return Plan((making, call), notes=(note,), openings=(tokens(who, who),))
