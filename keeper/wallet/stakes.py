"""What suppliers and co-stakers are about to sign of stakes: each checked first, in the words of who asks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.program import UnexpectedData
from keeper.chain.token import create_associated
from keeper.clients import staking, tokenomics
from keeper.clients.staking import NOBODY, Class, Config, Device, Wallet
from keeper.economy import staking as economy
from keeper.economy.calendar import duration, moment
from keeper.economy.orders import Currency
from keeper.economy.staking import CoStake, CoStakeState, OfferState
from keeper.economy.supply import BPS, io
from keeper.errors import UserError
from keeper.wallet.openings import earner, tokens
from keeper.wallet.plan import Movement, NamedAccount, NothingToDo, Plan

_VAULT = NamedAccount("the stake vault", staking.STAKE_VAULT)


class StakeRefused(UserError):
    """The program would refuse it now; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Staked:
    """A device with what its stakes depend on: its class, the program's config, the time (unix seconds)."""

    device: Device
    of_class: Class
    config: Config
    now: int

    @property
    def minimum(self) -> int:
        """The stake that it needs now, base units."""
        return self.device.minimum(self.of_class, self.now)

    @property
    def counted(self) -> int:
        """The stake that counts now, base units."""
        return economy.counted(self.device.own, self.device.co, self.now)

    @property
    def overflow(self) -> int:
        """What its supplier may take out at once, base units."""
        return economy.overflow(self.device.own, self.device.co, self.minimum, self.now)

    @property
    def co_stakes(self) -> tuple[CoStake, CoStake]:
        """Its co-staker's stake and that of one who left, as the program would write them down now."""
        return economy.settled(self.device.co, self.device.leaving, self.config.params.cooldown, self.now)

    def co_stake_of(self, staker: Pubkey, state: CoStakeState) -> CoStake | None:
        """A wallet's co-stake on it in that state, or else another one; None for none.

        A wallet that left may have taken the device's next offer, too: then it has two.
        """
        mine = [each for each in self.co_stakes if each.state and each.staker == staker]
        return min(mine, key=lambda each: (each.state != state, each.until), default=None)

    def require_free(self) -> None:
        """Refuse what may not happen under a slash. Raises StakeRefused."""
        if self.device.slash_pending:
            raise StakeRefused(
                "operators have voted to slash this device: nothing staked on it moves until that is over; "
                "see ionet slash show"
            )
        if self.now < self.device.frozen_until:
            raise StakeRefused(f"its stakes stay where they are until {moment(self.device.frozen_until)}")


async def read_device(chain: ChainReader, at: Pubkey) -> Device:
    """Read a device; raises ChainError when there is none."""
    (account,) = await chain.accounts([at])
    if account is None or account.owner != staking.PROGRAM.address:
        raise ChainError(f"there is no device {at}; see ionet device list")
    try:
        device = staking.parse_device(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no device ({error}); see ionet device list") from error
    # What is signed names the device by its worker: a node that answers with another one would choose it.
    if staking.device_address(device.worker) != at:
        raise ChainError(f"the node answers with another device than {at}: ask one that you trust")
    return device


async def read_staked(chain: ChainReader, at: Pubkey, now: int) -> Staked:
    """Read a device with what its stakes depend on; raises ChainError when there is none."""
    device = await read_device(chain, at)
    config, (of_class,) = (
        await staking.read_config(chain),
        await chain.accounts([staking.class_address(device.device_class)]),
    )
    assert config is not None and of_class is not None  # no device without them
    return Staked(device, staking.parse_class(of_class.data), config, now)


async def read_all_staked(chain: ChainReader) -> list[Staked]:
    """Read every device with what its stakes depend on; none where staking was never set up."""
    config = await staking.read_config(chain)
    if config is None:
        return []
    devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
    now = (await chain.clock()).unix_timestamp
    return [Staked(each, classes[each.device_class], config, now) for each in devices.values()]


# -- the supplier's ----------------------------------------------------------------------------


def add(at: Staked, amount: int) -> Plan:
    """Put ``amount`` base units of IO on a device. Raises StakeRefused, NothingToDo."""
    device = at.device
    if not amount:
        raise NothingToDo("name an amount of IO above 0")
    if device.terminated:
        raise StakeRefused("the device is terminated: nothing can be staked on it")
    if device.own_cooling:
        raise StakeRefused(
            f"{io(device.own_cooling)} IO of it are in their cooldown until {moment(device.own_until)}: take "
            "them out then with ionet stake withdraw, and stake again"
        )
    after = at.counted + amount
    short = at.minimum - after
    counts = (
        f"{io(short)} IO are still missing of the minimum of {io(at.minimum)} IO: until then it earns and "
        "leases nothing."
        if short > 0
        else f"It then has {io(after)} IO; the minimum is {io(at.minimum)} IO."
    )
    back = (
        f"It is yours again {duration(at.config.params.cooldown)} after ionet stake unstake; what is "
        "above the "
        "minimum at any time, with ionet stake overflow.",
        f"Operators can have up to {at.config.params.max_slash_bps / 100:g} % of it burned for what they "
        f"prove, after an appeal of {duration(at.config.params.appeal)}.",
    )
    before = f"{io(device.own)} IO of yours count on it now, and {io(device.own + amount)} IO then."
    return replace(staked(device, amount), notes=(counts, before, *back))


def staked(device: Device, amount: int) -> Plan:
    """The transfer alone, of ``amount`` base units."""
    movement = Movement(_account(device.supplier), _VAULT, amount, Currency.IO, "the device's stake")
    return Plan((staking.stake(device, amount),), (movement,))


def unstake(at: Staked) -> Plan:
    """Send all that is staked on a device into the cooldown. Raises StakeRefused, NothingToDo."""
    device = at.device
    if not device.own:
        raise NothingToDo("no stake of its supplier is on it that isn't in its cooldown already")
    if device.lease != NOBODY:
        raise StakeRefused(
            "the device is leased: end its lease first with ionet order end, or wait for its end"
        )
    until = at.now + at.config.params.cooldown
    notes = [
        f"{io(device.own)} IO stop counting now and can be taken out from {moment(until)} on: "
        "ionet stake withdraw. This can't be undone: until then nothing can be staked on the device.",
        "From now on the device earns and leases nothing; operators can still have it slashed until then.",
    ]
    if device.co.state in {CoStakeState.ACTIVE, CoStakeState.WAITING}:
        notes.append(f"Its co-staker's {io(device.co.amount)} IO go into their cooldown, too.")
    if device.offer:
        notes.append("Its offer to co-stakers is withdrawn.")
    return Plan((staking.unstake(device),), notes=tuple(notes))


def withdraw(at: Staked, payer: Pubkey, to: Pubkey | None = None) -> Plan:
    """Pay a cooled stake to its supplier; ``to`` is another token account of it. Raises StakeRefused."""
    device = at.device
    at.require_free()
    if not device.own_cooling:
        raise NothingToDo(
            "nothing of it is in its cooldown: ionet stake unstake begins that, ionet stake overflow "
            "takes out "
            "what is above the minimum"
        )
    _require_cooled(at, device.own_until)
    return _paid_out(at, device.supplier, payer, to, device.own_cooling, staking.withdraw(device, to))


def overflow(at: Staked, amount: int | None) -> Plan:
    """Take out own stake above the minimum, all of it for None. Raises StakeRefused, NothingToDo."""
    at.require_free()
    most = at.overflow
    if not most:
        raise NothingToDo(
            f"nothing is above what has to stay: {io(at.counted)} IO count, the minimum is "
            f"{io(at.minimum)} IO; all of it comes out with ionet stake unstake"
        )
    taken = most if amount is None else amount
    if not 0 < taken <= most:
        raise StakeRefused(f"up to {io(most)} IO can be taken out, not {io(taken)}")
    movement = Movement(_VAULT, _account(at.device.supplier), taken, Currency.IO, "above the minimum")
    notes = (f"{io(at.counted - taken)} IO stay; the minimum is {io(at.minimum)} IO.",)
    owner = at.device.supplier
    instructions = (
        create_associated(owner, owner, tokenomics.MINT),
        staking.withdraw_overflow(at.device, taken),
    )
    return Plan(instructions, (movement,), notes, openings=(tokens(owner, owner),))


# -- co-stakes ---------------------------------------------------------------------------------


def offer(at: Staked, amount: int | None, reward_bps: int) -> Plan:
    """Look for a co-staker: ``amount`` base units, half of the minimum for None, for a share of rewards.

    Raises StakeRefused.
    """
    device, least = at.device, at.minimum
    at.require_free()
    most = least * economy.MAX_CO_STAKE_BPS // BPS
    asked = most if amount is None else amount
    if device.terminated:
        raise StakeRefused("the device is terminated: nobody can stake on it")
    if device.offer:
        raise StakeRefused("it has an offer already: ionet co-stake withdraw-offer takes that back")
    if at.co_stakes[0].state == CoStakeState.ACTIVE:
        raise StakeRefused(f"{at.co_stakes[0].staker} stakes on it already; a device has one co-staker")
    if not economy.MIN_REWARD_BPS <= reward_bps <= BPS:
        raise StakeRefused(f"a co-staker gets {economy.MIN_REWARD_BPS / 100:g} to 100 % of the rewards")
    if not 0 < asked <= most:
        raise StakeRefused(f"a co-stake is up to half of the minimum: {io(most)} IO, not {io(asked)}")
    if device.own + asked < least:
        missing = least - asked - device.own
        raise StakeRefused(
            f"your own stake and the offer must come to the minimum of {io(least)} IO: stake "
            f"{io(missing)} IO "
            "more first with ionet stake add"
        )
    notes = (
        f"Whoever takes it stakes {io(asked)} IO and gets {reward_bps / 100:g} % of what the device "
        "earns from "
        "then on. No token moves until then.",
        f"Once taken, all but {io(least - asked)} IO of your own stake can be taken out: ionet stake "
        "overflow.",
    )
    return Plan((staking.open_offer(device, asked, reward_bps),), notes=notes)


def withdraw_offer(at: Staked) -> Plan:
    """Withdraw an offer that nobody took. Raises NothingToDo."""
    if not at.device.offer:
        raise NothingToDo("it has no open offer")
    return Plan((staking.close_offer(at.device),), notes=("Nobody can take it any more.",))


def take(at: Staked, staker: Pubkey, wallet: Wallet | None) -> Plan:
    """Stake on another's device by its offer; ``wallet`` is the staker's account. Raises StakeRefused."""
    device = at.device
    at.require_free()
    if not device.offer:
        raise StakeRefused("nobody is looked for as its co-staker: ionet co-stake offers lists who is")
    if staker in {device.supplier, device.worker}:
        raise StakeRefused("a co-staker is somebody else than the device's supplier: ionet stake add")
    if wallet and wallet.co_stakes >= economy.MAX_CO_STAKES:
        raise StakeRefused(
            f"your wallet has {wallet.co_stakes} co-stakes, those in their cooldown counted: no more"
        )
    held = at.co_stakes[0]
    if held.state == CoStakeState.ACTIVE or (held.state and at.co_stakes[1].state):
        raise StakeRefused("others' co-stakes are still on it: wait until one of them has left")
    counts = device.own + device.offer
    if device.terminated or counts < at.minimum:
        raise StakeRefused(
            f"with this offer the device would have {io(counts)} of {io(at.minimum)} IO: its supplier has to "
            "stake more"
        )
    opening = () if wallet else (staking.open_wallet(staker, staker),)
    movement = Movement(_account(staker), _VAULT, device.offer, Currency.IO, "your co-stake")
    notes = (
        f"You get {device.offer_reward_bps / 100:g} % of what the device earns from now on; its "
        "supplier can't "
        "change that. It earns in hours in which it proves its work, and nothing in others.",
        f"To leave: ionet co-stake leave. It then counts for {duration(at.config.params.co_stake_wait)} "
        "more, "
        f"earns nothing, and is yours after {duration(at.config.params.cooldown)} of cooldown. If the "
        "supplier "
        "unstakes, the cooldown begins at once.",
        f"You trust whoever has the device, {device.supplier}: a slash for what it does burns up to "
        f"{at.config.params.max_slash_bps / 100:g} % of your IO as well, each time, and while one is pending "
        "nothing can be taken out. If it is offline or does its work wrong, you earn nothing.",
        f"Look at it first: ionet device show {staking.device_address(device.worker)}, ionet slash show.",
    )
    taking = staking.take_offer(device, staker, device.offer, device.offer_reward_bps)
    return Plan((*opening, taking), (movement,), notes, openings=(earner(staker, staker),))


def leave(at: Staked, staker: Pubkey) -> Plan:
    """Begin to leave a co-stake. Raises StakeRefused, NothingToDo."""
    held = _mine(at, staker, CoStakeState.ACTIVE)
    if held.state != CoStakeState.ACTIVE:
        raise NothingToDo(f"you have left it already: {held_words(held, at.now)}")
    waits, cools = at.config.params.co_stake_wait, at.config.params.cooldown
    until = at.now + waits
    notes = (
        f"From now on {io(held.amount)} IO earn nothing; they count for the device until "
        f"{moment(until)}, and "
        f"can be taken out from {moment(until + cools)} on: ionet co-stake withdraw. If another co-staker "
        "takes your place before, the cooldown begins then.",
    )
    return Plan((staking.leave_co_stake(at.device, staker),), notes=notes)


def withdraw_co_stake(at: Staked, staker: Pubkey, payer: Pubkey, to: Pubkey | None = None) -> Plan:
    """Pay a cooled co-stake to its owner; ``to`` as in :func:`withdraw`. Raises StakeRefused."""
    held = _mine(at, staker, CoStakeState.COOLING)
    if held.state != CoStakeState.COOLING:
        raise StakeRefused(f"it isn't in its cooldown: {held_words(held, at.now)}; ionet co-stake leave")
    at.require_free()
    _require_cooled(at, held.until)
    call = staking.withdraw_co_stake(at.device, staker, to)
    return _paid_out(at, staker, payer, to, held.amount, call)


def held_words(held: CoStake, now: int) -> str:
    """Where a co-stake stands, in words with its date."""
    state = economy.co_staker_state(held, now)
    if state is OfferState.UNSTAKED:
        return f"left, counts until {moment(held.until)}"
    if state is OfferState.COOLDOWN:
        return f"cools until {moment(held.until)}" if now < held.until else "cooled, can be taken out"
    return "active" if state is OfferState.ACTIVE else "taken out"


# -- shared ------------------------------------------------------------------------------------


def _mine(at: Staked, staker: Pubkey, state: CoStakeState) -> CoStake:
    held = at.co_stake_of(staker, state)
    if held is None:
        raise StakeRefused(f"{staker} has no co-stake on this device: ionet stake show lists a wallet's")
    return held


def _require_cooled(at: Staked, until: int) -> None:
    if at.now < until:
        raise StakeRefused(
            f"the cooldown is over at {moment(until)}, in {duration(until - at.now)}: run this command then"
        )


def _paid_out(
    at: Staked, owner: Pubkey, payer: Pubkey, to: Pubkey | None, amount: int, call: Instruction
) -> Plan:
    account = NamedAccount("its owner's account", to or tokenomics.tokens_address(owner))
    movement = Movement(_VAULT, account, amount, Currency.IO, "cooled")
    if to:
        return Plan((call,), (movement,))
    making = create_associated(payer, owner, tokenomics.MINT)
    return Plan((making, call), (movement,), openings=(tokens(owner, payer),))


def _account(owner: Pubkey) -> NamedAccount:
    return NamedAccount("your account", tokenomics.tokens_address(owner))
