"""The demo's stakers: from registering devices to the last token back, with every figure checked."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper import deploy
from keeper.chain import Event
from keeper.chain.token import create_associated, read_token_account, transfer
from keeper.clients import staking, tokenomics
from keeper.clients.staking import SMALL_CLAIM, Device, SlashStatus
from keeper.db import Database
from keeper.demo import lie
from keeper.demo.airdrop import person
from keeper.demo.beside import Beside
from keeper.demo.crew import demo_profiles
from keeper.demo.fleet import Fleet, Machine
from keeper.demo.network import LAMPORTS, Network
from keeper.demo.proofs_checks import Checked, check_hour
from keeper.economy import emission
from keeper.economy.calendar import HOUR
from keeper.economy.classes import read_classes
from keeper.economy.orders import Currency
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.indexer.watermark import Watermark
from keeper.jobs.blocks import attest_hours
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.rewards import publication, rule
from keeper.rewards.history import PROGRAMS, History, HourHistory
from keeper.rewards.publication import Manifest
from keeper.rewards.tree import tree
from keeper.rewards.wallet_index import Claimable
from keeper.rewards.work import WorkFolder
from keeper.tables import Rows, addresses

OPERATORS = 3
HOURS = 48
"""Reward blocks that are made."""
LIE_HOUR, LIAR, LIARS_FILES = 20, 2, "liar"
"""In this hour this operator attests a root that pays itself; its files are in a folder of this name."""
SLASH_HOUR, VETO_HOUR = 10, 30
SLASH_BPS = 1_000
APPEALED, GUILTY = 3, 4
"""Machines that operators vote to slash: the guardian vetoes the first after its appeal."""
WALLET_LAMPORTS = 10**9
UP_HOURS = rule.UPTIME // HOUR + 1
"""In so many hours, the first, nobody earns: a device must have been up for longer than five hours before."""


def evidence_of(machine: Machine) -> bytes:
    """The hash of the verdict against a machine."""
    return sha256(f"verdict on worker {machine.number}".encode()).digest()


class _Alone(ProgramIndexer):
    """An indexer of an index of its own: nobody else moves the watermark, which is read once."""

    _mark: Watermark | None = None

    async def watermark(self) -> Watermark:
        """See :class:`~keeper.indexer.ProgramIndexer`."""
        self._mark = self._mark or await super().watermark()
        return self._mark

    async def move(self, connection: AsyncConnection, mark: Watermark) -> Watermark:
        """See :class:`~keeper.indexer.ProgramIndexer`."""
        self._mark = await super().move(connection, mark)
        return self._mark


class _OneHistory(History):
    """The history that all operators read: an hour is read from the index for the first of them and kept."""

    _last: tuple[int, HourHistory] | None = None

    async def hour(self, start: int) -> HourHistory:
        """See :class:`~keeper.rewards.history.History`."""
        if self._last is None or self._last[0] != start:
            self._last = start, await super().hour(start)
        return self._last[1]


@dataclass(slots=True)
class Stakers:
    """Everybody who stakes on a network, its operators, and what came of it."""

    network: Network
    other: Beside
    """Where the files of each hour are looked at again, while the next one goes on."""
    folder: Path
    proofs: Path
    """Where the operators' files of proof of work are."""
    http_hours: int = 1
    """For so many hours, the first, devices answer over HTTP."""
    fleet: Fleet = field(default_factory=Fleet)
    operators: list[Keypair] = field(
        default_factory=lambda: [person(f"operator {n}") for n in range(OPERATORS)]
    )
    manifests: list[Manifest] = field(default_factory=list)
    claimed: dict[Pubkey, int] = field(default_factory=dict)
    claimed_in: Counter[int] = field(default_factory=Counter)
    """What was claimed in each hour of the clock: all claims of one are limited together."""
    reserved: int = 0
    """Of it, what was kept for small claims that their wallets signed."""
    conflicts: int = 0
    burned: int = 0
    back: int = 0
    codes: Counter[tuple[int, Code]] = field(default_factory=Counter)
    """How often each machine, by its number, had each code."""
    waves: int = 0
    plots: int = 0
    """Of the waves, those that were about memory."""
    pings: int = 0
    _asked: int = 0
    """The last hour that had pings: in one without, everybody is as before."""
    leased: int = 0
    """IO that suppliers were paid for leases."""
    _database: Database = field(init=False)
    _history: _OneHistory = field(init=False)
    _work: list[WorkFolder] = field(init=False)

    def __post_init__(self) -> None:
        """All operators read one index here."""
        self._database = Database(f"sqlite:///{self.folder}/index.db")
        chain, database = self.network.chain, self._database
        indexers = [_Alone(chain, database, each) for each in PROGRAMS]
        ledgers = [Ledger(chain, database, each, FOLDS[each.program.name]) for each in indexers]
        self._history = _OneHistory(chain, database, ledgers=ledgers)
        profiles = demo_profiles()
        self._work = [WorkFolder(self.proofs / f"operator-{n + 1}", profiles) for n in range(OPERATORS)]

    @property
    def ledgers(self) -> Sequence[Ledger]:
        """What they know of the chain: all operators read one index here."""
        return self._history.ledgers

    # -- what happens --------------------------------------------------------------------------

    async def initialise(self) -> None:
        """Set up the program: parameters, operators, the published class table; wait until it is open."""
        for folder in (self.folder, self.proofs):
            shutil.rmtree(folder, ignore_errors=True)
        network = self.network
        await self._database.upgrade()
        await self._history.prepare()
        for each in self.operators:
            network.chain.airdrop(each.pubkey(), LAMPORTS)
        network.chain.airdrop(person("guardian").pubkey(), LAMPORTS)
        await deploy.staking_genesis(
            network.chain,
            network.admin,
            guardian=person("guardian").pubkey(),
            operators=[each.pubkey() for each in self.operators],
            classes=read_classes(),
        )
        classes = (await staking.read_classes(network.chain)).values()
        opens_at = max(each.opens_at for each in classes)
        waits = [(each.multiplier_at(opens_at - 1), each.is_open(opens_at - 1)) for each in classes]
        network.checks.equal("classes before the notice is over", set(waits), {(0, False)})
        network.chain.warp_to(opens_at)
        on_chain = [
            (each.id, each.name, each.multiplier_at(opens_at), each.pool, each.kind) for each in classes
        ]
        table = [(row.id, row.name, row.multiplier, row.pool, row.kind) for row in read_classes()]
        network.checks.equal("class table", on_chain, table)
        cost = [[each.price(currency, opens_at).amount for currency in Currency] for each in classes]
        published = [[row.prices.price_io, row.prices.price_usdc] for row in read_classes()]
        network.checks.equal("prices at first", cost, published)

    async def onboard(self, each: Callable[[], None]) -> None:
        """Hand out what is staked, register every device, stake, take the offers."""
        treasury = self.network.admin.pubkey()
        payer = self.network.keeper.pubkey()
        for owner, amount in self.fleet.stakes.items():
            wallet = owner.pubkey()
            self.network.chain.airdrop(wallet, WALLET_LAMPORTS)
            source, to = (tokenomics.tokens_address(key) for key in (treasury, wallet))
            await self._send(
                [
                    create_associated(payer, wallet, tokenomics.MINT),
                    transfer(source, to, treasury, amount),
                    staking.open_wallet(payer, wallet),
                ],
                self.network.keeper,
                self.network.admin,
            )
        for machine in self.fleet.machines:
            await self._set_up(machine)
            each()
        await self._check_stakes(sum(self.fleet.stakes.values()))

    async def hour(self, number: int) -> None:
        """Let the operators publish and attest hour ``number`` (0 is the first), whose evidence is posted."""
        if number == LIE_HOUR:
            await self._lie(number)
        for index, operator in enumerate(self.operators):
            events = await attest_hours(
                self.network.port(operator),
                folder=self._folder(index),
                work=self._work[index],
                history=self._history,
            )
            self.conflicts += sum(event.fields["conflict"] for event in events)
        manifests = [publication.read_manifest(self._folder(index), number) for index in range(OPERATORS)]
        self.network.checks.equal(
            f"operators' manifests of hour {number}", len({m.hash for m in manifests}), 1
        )
        self.manifests.append(manifests[0])
        await self._check_hour(manifests[0])
        await self._events_of(number)
        await self.network.job("blocks")

    async def finish_blocks(self) -> None:
        """Let the last challenge window pass, make the last block final, and compare it with the chain."""
        self.network.chain.advance(HOUR)
        await self.network.job("blocks")
        last = self.manifests[-1]
        config = await self._config()
        self.network.checks.equal("blocks that are final", config.next_hour, HOURS)
        self.network.checks.equal("all leaves of the last root", config.final_total, last.total)
        block = (await staking.read_hours(self.network.chain, [last.hour]))[last.hour]
        self.network.checks.equal("last root", block.root.hex(), last.root)
        self.network.checks.equal("last data hash", block.data_hash.hex(), last.hash)
        await self._database.close()

    async def claim(self, claims: Sequence[Claimable], each: Callable[[], None]) -> None:
        """Pay everybody everything by the last root, hour by hour up to the limit.

        Large claims go under the keeper's key; then those that are small sign for themselves, and have what
        the limit keeps for them.
        """
        before = {wallet: self._balance(wallet) for wallet in self._wallets()}
        owners = {owner.pubkey(): owner for owner in self.fleet.stakes}
        small = [found for found in claims if found.lifetime <= SMALL_CLAIM]
        for found in sorted(claims, key=lambda found: found in small):
            signed = found in small
            instruction = staking.claim(found.hour, found.wallet, found.lifetime, found.proof, signed=signed)
            signers = [owners[found.wallet]] if signed else [self.network.keeper]
            while self.claimed.get(found.wallet, 0) < found.lifetime:
                chain = self.network.chain
                if not signed and not (await self._config()).claim_left(chain.now()):
                    chain.warp_to((chain.now() // HOUR + 1) * HOUR)
                (event,) = await self._send([instruction], *signers)
                self.claimed[found.wallet] = event.fields["claimed"]
                self.claimed_in[event.fields["claim_hour"]] += event.fields["amount"]
                self.reserved += event.fields["reserve"]
            each()
        await self._check_claims([found for found in claims if found not in small], small)
        for wallet, had in before.items():
            paid = self.claimed.get(wallet, 0)
            self.network.checks.equal(f"balance of {wallet}", self._balance(wallet), had + paid)
        config = await self._config()
        self.network.checks.equal("claimed", config.claimed, sum(self.claimed.values()))
        self.network.checks.equal("claimed of the last root", config.claimed, config.final_total)

    async def _check_claims(self, large: Sequence[Claimable], small: Sequence[Claimable]) -> None:
        """Half of an hour's limit is for claims that anybody sends; the small ones took the other half's."""
        limit = (await self._config()).params.claim_limit // 2
        full, rest = divmod(sum(found.lifetime for found in large), limit)
        signed = sum(found.lifetime for found in small)
        self.network.checks.equal("paid out of the reserve", self.reserved, signed)
        hours = [limit] * full + [rest] * (rest > 0)
        hours[-1] += signed
        self.network.checks.equal("paid in each hour of claims", list(self.claimed_in.values()), hours)

    async def leave(self) -> None:
        """Let every supplier unstake; co-stakes go into their cooldown with the supplier's."""
        for machine in self.fleet.machines:
            device = await self._device(machine)
            await self._send([staking.unstake(device)], machine.supplier)

    async def take_out(self) -> None:
        """Let everybody take their stakes out after the cooldown, and close the devices."""
        for machine in self.fleet.machines:
            device = await self._device(machine)
            out = [staking.withdraw(device)]
            if machine.co_staker:
                out.append(staking.withdraw_co_stake(device, machine.co_staker.pubkey()))
            await self._send(out, self.network.keeper)
            ends = [staking.terminate_device(device), staking.close_device(device)]
            await self._send(ends, machine.supplier)
        await self._check_stakes(0)
        self.network.checks.equal("devices left", await staking.read_devices(self.network.chain), {})
        self.back = back = sum(map(self._balance, self._wallets()))
        put_in = sum(self.fleet.stakes.values())
        expected = put_in - self.burned + sum(self.claimed.values()) + self.leased
        self.network.checks.equal("what stakers have at the end", back, expected)

    def in_wallet(self, wallet: Pubkey) -> int:
        """What a wallet has, base units of IO."""
        return self._balance(wallet)

    def results(self) -> list[Rows]:
        """Every hour's rows of devices (``RESULT``)."""
        return [publication.read_table(self._folder(0), each, "rewards.csv") for each in self.manifests]

    # -- steps ---------------------------------------------------------------------------------

    async def _set_up(self, machine: Machine) -> None:
        await self._send([machine.registration], machine.supplier, machine.worker)
        device = await self._device(machine)
        instructions = [staking.stake(device, machine.own)]
        signers = [machine.supplier]
        if machine.co_staker:
            terms = machine.co_amount, machine.reward_bps
            instructions.append(staking.open_offer(device, *terms))
            instructions.append(staking.take_offer(device, machine.co_staker.pubkey(), *terms))
            signers.append(machine.co_staker)
        await self._send(instructions, *signers)

    async def _lie(self, hour: int) -> None:
        """An operator attests files of its own before the others."""
        liar = self.operators[LIAR]
        false = await lie.publish(
            self.network.chain,
            self._history,
            self._work[LIAR],
            self._folder(LIAR),
            self.folder / LIARS_FILES,
            liar.pubkey(),
            hour,
            self.network.start_month,
        )
        await self._send([staking.attest(liar.pubkey(), hour, false.attestation)], liar)

    async def _events_of(self, hour: int) -> None:
        """Two slashes: the operators vote, one supplier appeals, the guardian vetoes that one."""
        appealed, guilty = (self.fleet.machines[number] for number in (APPEALED, GUILTY))
        guardian = person("guardian")
        if hour == SLASH_HOUR:
            for machine in (appealed, guilty):
                device = await self._device(machine)
                for operator in self.operators[:2]:
                    vote = staking.vote_slash(operator.pubkey(), device, evidence_of(machine), SLASH_BPS)
                    await self._send([vote], operator)
            device = await self._device(appealed)
            appeal = staking.appeal_slash(device, evidence_of(appealed), bytes([1]) * 32)
            await self._send([appeal], appealed.supplier)
        elif hour == VETO_HOUR:
            device = await self._device(appealed)
            veto = staking.veto_slash(guardian.pubkey(), device, evidence_of(appealed))
            await self._send([veto], guardian)

    async def slashes(self) -> None:
        """Let the keeper burn what was slashed, now that the appeal period is over."""
        supply = (await tokenomics.read_supply(self.network.chain)).supply
        staked = (await self._config()).staked
        (event,) = await self.network.job("slashes")
        await self.network.job("burns")
        machine = self.fleet.machines[GUILTY]
        parts = machine.own * SLASH_BPS // 10_000, machine.co_amount * SLASH_BPS // 10_000
        self.burned = sum(parts)
        self.network.checks.equal("burned by the slash", event.fields["burned"], self.burned)
        device = await self._device(machine)
        left = device.own, device.co.amount
        self.network.checks.equal("left of it", left, (machine.own - parts[0], machine.co_amount - parts[1]))
        after = (await tokenomics.read_supply(self.network.chain)).supply
        self.network.checks.equal("supply after the slash", after, supply - self.burned)
        await self._check_stakes(staked - self.burned)
        statuses = [slash.status for slash in await staking.read_slashes(self.network.chain)]
        self.network.checks.equal("slashes", sorted(statuses), [SlashStatus.VETOED, SlashStatus.EXECUTED])

    # -- what must hold ------------------------------------------------------------------------

    async def _check_hour(self, manifest: Manifest) -> None:
        number = manifest.hour
        allowed = emission.cumulative(self.network.start_month, number + 1)
        before = self.manifests[-2].total if number else 0
        self.network.checks.equal(f"pot of hour {number}", manifest.pot, allowed - before)
        self.network.checks.equal(
            f"paid and carried in hour {number}", manifest.paid + manifest.carried, manifest.pot
        )
        self.network.checks.equal(f"hour {number} pays somebody", manifest.paid > 0, number >= UP_HOURS)
        await self._check_files(manifest)

    async def _check_files(self, manifest: Manifest) -> None:
        """Compute the hour again by its files, and compare what they say of each device with what it did."""
        folder, number = self._folder(0), manifest.hour
        history = await self._history.hour(manifest.start)
        record = publication.read_record(folder, manifest)
        hired = {each.slot: history.running(each.time, each.time) for each in record.waves}
        if record.pings:
            self._asked = number
        self.other.start(check_hour, folder, number, self._asked, hired, then=self._checked)
        self.waves += len(record.waves)
        self.plots += sum(each.kind == WaveKind.RESIDENCY for each in record.waves)
        self.pings += len(record.pings)

    def _checked(self, found: Checked) -> None:
        self.network.checks.count(found.passed)
        self.codes += found.codes

    async def _check_stakes(self, expected: int) -> None:
        """The vault holds what is recorded, in the config as well as over all devices."""
        devices = await staking.read_devices(self.network.chain)
        owed = sum(d.own + d.own_cooling + d.co.amount + d.leaving.amount for d in devices.values())
        vault = self._tokens(staking.STAKE_VAULT)
        self.network.checks.equal("stake vault", (vault, owed), (expected, expected))
        self.network.checks.equal("recorded stakes", (await self._config()).staked, expected)

    # -- shorthand -----------------------------------------------------------------------------

    def _folder(self, operator: int) -> Path:
        return self.folder / f"operator-{operator + 1}"

    def _wallets(self) -> list[Pubkey]:
        return [owner.pubkey() for owner in self.fleet.stakes]

    def claims(self) -> list[Claimable]:
        """Everybody's claim by the last root."""
        last = self.manifests[-1]
        wallets = publication.read_table(self._folder(0), last, "wallets.csv")
        hashed = tree(wallets)
        assert hashed is not None  # every hour paid somebody
        rows = zip(addresses(wallets["wallet"]), wallets["lifetime"].tolist(), strict=True)
        return [
            Claimable(last.hour, wallet, lifetime, hashed.root, hashed.proof(index))
            for index, (wallet, lifetime) in enumerate(rows)
        ]

    async def _send(self, instructions: list[Instruction], *signers: Keypair) -> list[Event]:
        record = await self.network.send(instructions, signers)
        return staking.PROGRAM.events(record)

    async def _config(self) -> staking.Config:
        config = await staking.read_config(self.network.chain)
        assert config is not None  # it was initialised
        return config

    async def _device(self, machine: Machine) -> Device:
        (account,) = await self.network.chain.accounts([machine.address])
        assert account is not None  # it was registered
        return staking.parse_device(account.data)

    def _tokens(self, address: Pubkey) -> int:
        account = self.network.chain.get(address)
        return read_token_account(account.data).amount if account else 0

    def _balance(self, wallet: Pubkey) -> int:
        return self._tokens(tokenomics.tokens_address(wallet))
