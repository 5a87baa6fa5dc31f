"""A world with buyback on it: a USDC mint, the two fee vaults, and shorthand for fees and auctions."""

from __future__ import annotations

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Account, TransactionRecord
from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated, mint_to
from keeper.clients import buyback, tokenomics
from keeper.clients.programs import BY_ADDRESS
from keeper.economy.buyback import BPS, USDC
from keeper.economy.supply import IO
from tests.programs.world import START, World, key
from tests.security.tokens import create_mint

USDC_MINT = key("usdc").pubkey()
USDC_VAULT = buyback.fee_vault(USDC_MINT)
ISSUER = key("issuer")
FIRST_PRICE = 4 * IO
"""IO per USDC that the admin of these worlds sets: an IO is worth a quarter."""


def create_usdc(world: World) -> None:
    """A mint with USDC's decimals; the issuer mints it and can freeze it, as on the real network."""
    create_mint(world, key("usdc"), ISSUER.pubkey(), decimals=buyback.USDC_DECIMALS)


def mint_usdc(world: World, to: Pubkey, amount: int) -> None:
    """Base units of USDC to a token account."""
    world.do(mint_to(USDC_MINT, to, ISSUER.pubkey(), amount), signers=[ISSUER])


def give_usdc(world: World, wallet: Pubkey, amount: int) -> None:
    """USDC to a wallet's associated account, made if need be."""
    world.do(create_associated(world.payer.pubkey(), wallet, USDC_MINT))
    mint_usdc(world, associated_token_address(wallet, USDC_MINT), amount)


class BuybackWorld(World):
    """Tokenomics launched, buyback initialised."""

    @classmethod
    def initialised(cls, *, verify_signatures: bool = False, **params: int) -> BuybackWorld:
        """A world whose clock stands at the first hour of emission; no price is set."""
        world = cls.launched(verify_signatures=verify_signatures)
        assert isinstance(world, BuybackWorld)
        world.create_usdc()
        admin, terms = world.admin.pubkey(), buyback.Params(**params)
        setup = buyback.initialize(admin, world.guardian.pubkey(), USDC_MINT, terms)
        world.do(setup, signers=[world.admin])
        world.chain.warp_to(START)
        return world

    @classmethod
    def priced(cls, *, verify_signatures: bool = False, **params: int) -> BuybackWorld:
        """The same with a first price whose notice is over: an auction can start once there are fees."""
        world = cls.initialised(verify_signatures=verify_signatures, **params)
        first = buyback.propose_first_price(world.admin.pubkey(), FIRST_PRICE)
        world.do(first, signers=[world.admin])
        world.chain.warp_to(world.buyback_config().first_price_at)
        return world

    @classmethod
    def ready(cls, *, verify_signatures: bool = False, **params: int) -> BuybackWorld:
        """The same with whole lots from the first auction on, as they are after some sales.

        The share is written into the account: its events don't make it.
        """
        world = cls.priced(verify_signatures=verify_signatures, **params)
        account = world.account(buyback.CONFIG)
        data = bytearray(account.data)
        fields = buyback.PROGRAM.dtype("Config").fields
        assert fields is not None  # a config has fields
        at = fields["next_share_bps"][1]
        data[at : at + 4] = BPS.to_bytes(4, "little")
        world.chain.set_account(buyback.CONFIG, Account(account.lamports, bytes(data), account.owner))
        return world

    # -- acting --------------------------------------------------------------------------------

    def create_usdc(self) -> None:
        """USDC's mint."""
        create_usdc(self)

    def give_usdc(self, wallet: Pubkey, amount: int) -> None:
        """USDC to a wallet."""
        give_usdc(self, wallet, amount)

    def bidder(self, name: str, io: int = 0, usdc: int = 0) -> Keypair:
        """Somebody with both token accounts and these base units."""
        person = self.person(name)
        self.give(person.pubkey(), io)
        self.give_usdc(person.pubkey(), usdc)
        return person

    def pay_usdc(self, amount: int) -> None:
        """Put fees into the USDC vault."""
        mint_usdc(self, USDC_VAULT, amount)

    def start(self, usdc: int = 0) -> buyback.Auction:
        """Start the next auction, with ``usdc`` base units more of fees."""
        if usdc:
            self.pay_usdc(usdc)
        number = self.buyback_config().started
        self.do(buyback.start_auction(self.payer.pubkey(), number, USDC_VAULT))
        return self.auction(number)

    def bid(
        self, bidder: Keypair, number: int, max_io: int = 2**64 - 1, min_usdc: int = 0
    ) -> TransactionRecord:
        """Bid without limits, unless some are given; a refusal is in the record."""
        limits = {"max_io": max_io, "min_usdc": min_usdc}
        return self.send(buyback.bid(bidder.pubkey(), number, USDC_MINT, **limits), signers=[bidder])

    # -- looking -------------------------------------------------------------------------------

    def error(self, record: TransactionRecord) -> str | None:
        """The name of the refusing program's error, the framework's, or the chain's own words."""
        if record.error is None or record.code is None or record.failed_instruction is None:
            return record.error
        program = BY_ADDRESS.get(record.programs[record.failed_instruction], tokenomics.PROGRAM)
        return program.error(record.code).name

    def buyback_config(self) -> buyback.Config:
        """Buyback's config."""
        return buyback.parse_config(self.account(buyback.CONFIG).data)

    def auction(self, number: int) -> buyback.Auction:
        """An auction."""
        return buyback.parse_auction(self.account(buyback.auction_address(number)).data)

    def usdc(self, wallet: Pubkey) -> int:
        """What a wallet has of USDC, base units."""
        return self.tokens(associated_token_address(wallet, USDC_MINT))

    def usdc_vault(self) -> int:
        """What the USDC vault holds, base units."""
        return self.tokens(USDC_VAULT)

    def io_vault(self) -> int:
        """What the IO vault holds, base units."""
        return self.tokens(buyback.IO_VAULT)


__all__ = ["FIRST_PRICE", "IO", "ISSUER", "USDC", "USDC_MINT", "USDC_VAULT", "BuybackWorld"]
