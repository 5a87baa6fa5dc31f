"""What an operator should know before leaving a keeper alone: each check with what to do about it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader, Commitment, Program, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import sol
from keeper.clients import staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.db import Database, DatabaseError
from keeper.indexer.guard import WHAT_TO_DO, other_chain
from keeper.jobs.names import ATTEST
from keeper.resources import manifest
from keeper.runtime.look import look_at_database
from keeper.settings import Settings
from keeper.settings.findings import CheckState, Finding
from keeper.settings.keys import KeyRefused

SKEW_SECONDS = 60
"""Clocks that differ by more are worth a look: logs and files bear this machine's times."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks, and changes nothing; ``environment`` is the process's own."""

    settings: Settings
    chain: ChainReader
    environment: Mapping[str, str]
    key: Pubkey | KeyRefused

    async def examine(self) -> list[Finding]:
        """Run every check; one that can't be made says so."""
        findings: list[Finding] = []
        checks: list[tuple[str, Callable[[], Awaitable[Iterable[Finding]]]]] = [
            ("chain", self._node),
            ("clock", self._clock),
            ("key", self._key),
            ("balance", self._balance),
            ("programs", self._programs),
            ("database", self._database),
            ("settings", self._settings),
        ]
        for name, check in checks:
            try:
                findings += await check()
            except ChainError as error:
                findings.append(
                    Finding(
                        name, CheckState.WRONG, str(error), "see that the node runs and IONET_CHAIN is right"
                    )
                )
            except DatabaseError as error:
                findings.append(
                    Finding(
                        name,
                        CheckState.WRONG,
                        str(error),
                        "see that the database runs and IONET_DATABASE is right",
                    )
                )
        return findings

    # -- the chain -----------------------------------------------------------------------------

    async def _node(self) -> list[Finding]:
        version, slot = await self.chain.version(), await self.chain.slot(Commitment.FINALIZED)
        return [Finding("chain", CheckState.OK, f"{version}, finalized slot {slot}")]

    async def _clock(self) -> list[Finding]:
        if isinstance(self.chain, EmbeddedChain):
            return [
                Finding(
                    "clock",
                    CheckState.OK,
                    "a chain in a file follows this machine's clock, or goes on by its own",
                )
            ]
        skew = (await self.chain.clock()).unix_timestamp - int(time.time())
        if abs(skew) <= SKEW_SECONDS:
            return [Finding("clock", CheckState.OK, f"the chain's differs from this machine's by {skew} s")]
        way = "ahead of" if skew > 0 else "behind"
        return [
            Finding(
                "clock",
                CheckState.WRONG,
                f"the chain's is {abs(skew)} s {way} this machine's",
                "set this machine's clock; if it is right, the node is behind: use another",
            )
        ]

    async def _programs(self) -> list[Finding]:
        stated = manifest()
        return [await self._program(each, stated[name]) for name, each in PROGRAMS.items()]

    async def _program(self, program: Program, stated: Mapping[str, int | str]) -> Finding:
        check, address = f"program {program.name}", program.address
        found = await loader.deployed(self.chain, address)
        if found is None:
            return Finding(
                check, CheckState.WRONG, f"{address} is not on this chain", "ionet deploy puts it there"
            )
        digest = loader.digest(found, int(stated["bytes"]))
        if digest == stated["sha256"]:
            return Finding(check, CheckState.OK, f"the committed binary, {digest[:16]}")
        return Finding(
            check,
            CheckState.WRONG,
            f"{address} has other bytes ({digest[:16]}) than programs/artifacts/manifest.json",
            "use the keeper that belongs to it; if nobody announced an upgrade, ask who made it",
        )

    # -- the key -------------------------------------------------------------------------------

    async def _key(self) -> list[Finding]:
        if isinstance(self.key, KeyRefused):
            return [
                Finding(
                    "key", CheckState.WRONG, str(self.key), "IONET_KEYPAIR, IONET_KEY or IONET_SIGNER_COMMAND"
                )
            ]
        findings = [Finding("key", CheckState.OK, f"{self.key}, {self._key_source()}")]
        economy = await tokenomics.read_config(self.chain)
        terms = await staking.read_config(self.chain)
        admins = {each.admin for each in (economy, terms) if each}
        if self.key in admins:
            findings.append(
                Finding(
                    "role: admin",
                    CheckState.WRONG,
                    "this key is a program's admin, and it is on a machine that is online",
                    "give the keeper a key of its own: jobs need no rights but an operator's",
                )
            )
        if terms is None:
            findings.append(
                Finding("role: operator", CheckState.NOTE, "staking is not initialised on this chain")
            )
        elif self.key in terms.params.operators:
            of = f"one of {len(terms.params.operators)}, {terms.params.threshold} must agree"
            findings.append(Finding("role: operator", CheckState.OK, of))
        elif self._attests():
            findings.append(
                Finding(
                    "role: operator",
                    CheckState.WRONG,
                    "this key is no operator on chain, and the job attest is on",
                    "use the operator's key, have the admin add this one, or unset IONET_POW",
                )
            )
        else:
            findings.append(
                Finding("role: operator", CheckState.NOTE, "no; it runs the jobs that anyone may")
            )
        return findings

    def _key_source(self) -> str:
        if self.settings.signer_command:
            return "held by the signer command"
        return "from IONET_KEY" if self.settings.key else f"from {self.settings.keypair}"

    async def _balance(self) -> list[Finding]:
        if isinstance(self.key, KeyRefused):
            return []
        (account,) = await self.chain.accounts([self.key])
        balance = account.lamports if account else 0
        found = f"{sol(balance)} SOL"
        warning = self.settings.warning_lamports
        if balance >= warning:
            return [Finding("balance", CheckState.OK, found)]
        then = "nothing is sent" if balance < self.settings.stop_lamports else "jobs go on for now"
        send = f"send {sol(warning - balance)} SOL or more to {self.key}"
        return [Finding("balance", CheckState.WRONG, f"{found}, below {sol(warning)}: {then}", send)]

    # -- the database --------------------------------------------------------------------------

    async def _database(self) -> list[Finding]:
        database = Database(self.settings.database)
        try:
            return await self._examine_database(database)
        finally:
            await database.close()

    async def _examine_database(self, database: Database) -> list[Finding]:
        if database.file and not database.file.exists():
            return [
                Finding("database", CheckState.NOTE, f"{database.file} is not there yet: keeper run makes it")
            ]
        current, head = await database.versions()
        if current != head:
            return [
                Finding(
                    "database",
                    CheckState.WRONG if current else CheckState.NOTE,
                    f"its schema is at {current or 'nothing'}, this version's is {head}",
                    "keeper run brings an older one up; for a newer one use the newer keeper",
                )
            ]
        findings = [Finding("database", CheckState.OK, f"schema {head}")]
        if found := await other_chain(database, self.chain, self.settings.chain):
            return [*findings, Finding("genesis", CheckState.WRONG, found, WHAT_TO_DO)]
        findings.append(Finding("genesis", CheckState.OK, await self.chain.genesis_hash()))
        known = await look_at_database(database)
        if known.holder:
            findings.append(Finding("leader", CheckState.OK, f"last: {known.holder}, epoch {known.epoch}"))
        for program, reason in known.halts.items():
            findings.append(
                Finding(
                    f"accounts of {program}",
                    CheckState.WRONG,
                    f"they are not what the events make them: {reason}",
                    "find out why, then ionet keeper resume: see docs/operations.md",
                )
            )
        slot = await self.chain.slot(Commitment.FINALIZED)
        if not known.indexed:
            findings.append(Finding("index", CheckState.NOTE, "nothing is indexed yet"))
        for program, indexed in known.indexed.items():
            lag = max(0, slot - indexed)
            late = lag > self.settings.lag_slots
            findings.append(
                Finding(
                    f"index of {program}",
                    CheckState.WRONG if late else CheckState.OK,
                    f"{lag} slots behind",
                    "see that the indexer runs; a node with a short history can't catch up" if late else "",
                )
            )
        return findings

    # -- the settings --------------------------------------------------------------------------

    def _attests(self) -> bool:
        return ATTEST in self.settings.jobs and self.settings.pow is not None

    async def _settings(self) -> list[Finding]:
        settings = self.settings
        idle: list[tuple[str, str]] = []
        names = {f"IONET_{name.upper()}" for name in Settings.model_fields}
        for name in sorted(self.environment):
            if name.upper().startswith("IONET_") and name.upper() not in names:
                idle.append((name, "there is no such setting"))
        given = settings.model_fields_set
        if settings.pow and ATTEST not in settings.jobs:
            idle.append(("IONET_POW", f"the job {ATTEST} is off"))
        if settings.pow and not settings.pow.is_dir():
            idle.append(("IONET_POW", f"{settings.pow} is no folder"))
        if "jobs" in given and ATTEST in settings.jobs and settings.pow is None:
            idle.append(("IONET_JOBS", f"the job {ATTEST} needs IONET_POW"))
        if settings.signer_command:
            for name in ("key", "keypair"):
                if name in given:
                    idle.append((f"IONET_{name.upper()}", "the signer command overrides it"))
        elif settings.signer_address:
            idle.append(("IONET_SIGNER_ADDRESS", "there is no IONET_SIGNER_COMMAND"))
        if settings.key and "keypair" in given and not settings.signer_command:
            idle.append(("IONET_KEYPAIR", "IONET_KEY overrides it"))
        if not idle:
            return [Finding("settings", CheckState.OK, "each has an effect")]
        return [
            Finding("settings", CheckState.WRONG, f"{name} has no effect: {why}", "remove or correct it")
            for name, why in idle
        ]
