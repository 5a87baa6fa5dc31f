"""Commands that sign: what they move is shown and tried, then comes the question, then the signature.

``@signs`` gives a command its options and a :class:`Session`; the command itself only says what is to be
signed. So every command that signs does it in the same way, for people and for programs.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints
from urllib.parse import urlsplit

import typer
from rich.table import Table
from solders.message import MessageV0
from solders.null_signer import NullSigner
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Chain, Signer, TransactionFailed, TransactionRecord
from keeper.chain.connect import connect, writing
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import land
from keeper.chain.signer import unsigned
from keeper.cli import options
from keeper.cli.answering import SignsJsonOption, write
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.errors import UserError
from keeper.settings.keys import read_private_keypair
from keeper.terminal.answers.signed import Sent, Transactions
from keeper.terminal.plans import as_json, movements, payments
from keeper.terminal.tables import console, errors, show
from keeper.wallet.checks import require_funds, require_keys, require_sol
from keeper.wallet.lamports import Payments, payments_of
from keeper.wallet.plan import Plan

Parameters = ParamSpec("Parameters")


class Output(StrEnum):
    """What a transaction that somebody else signs is written as."""

    BASE64 = "base64"


DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="show all that would move, try it, and sign nothing")
]
YesOption = Annotated[bool, typer.Option("--yes", help="don't ask before signing")]
_FeePayer = Annotated[
    Path | None, typer.Option("--fee-payer", help="key file of who pays the fee", show_default="the signer")
]
_OutputOption = Annotated[
    Output | None,
    typer.Option("--output", help="print the transaction for somebody else to sign, and send nothing"),
]
_SignerOption = Annotated[
    str | None, typer.Option("--signer", help="with --output: the address of who will sign")
]


@dataclass(slots=True)
class Session:
    """What a command that signs works with: the chain, its time, who acts, and how it was told to act."""

    chain: Chain
    now: int
    signer: Signer
    payer: Signer
    fees: FeePolicy
    dry_run: bool = False
    yes: bool = False
    for_programs: bool = False
    output: Output | None = None
    node: str | None = None
    """The host of the node that tells what is on chain; None for a chain in a file."""
    done: list[Sent] = field(default_factory=list)
    """What ``--json`` prints of each transaction."""

    @property
    def address(self) -> Pubkey:
        """Whose command it is."""
        return self.signer.pubkey()

    def say(self, what: Table | str) -> None:
        """Tell people, beside a transaction that is printed; programs are told by ``--json`` alone."""
        if self.for_programs:
            return
        place = errors if self.output else console
        if isinstance(what, Table):
            show(what, place)
        else:
            place.print(what, soft_wrap=True, markup=False)

    async def carry_out(self, plan: Plan, *also: Signer) -> TransactionRecord | None:
        """Show what a plan moves, try it, ask, and send it; None where nothing was to be sent.

        ``also`` sign beside whoever acts. Raises TransactionFailed when the trial is refused, UserError when
        an account holds too little or another key must sign, and typer's Abort when the answer is no. No
        signer is asked before the answer is yes.
        """
        required = {meta.pubkey for each in plan.instructions for meta in each.accounts if meta.is_signer}
        # What anybody may do needs no signature but that of who pays.
        signers = [self.payer, *(each for each in (self.signer, *also) if each.pubkey() in required)]
        paid = await payments_of(self.chain, plan, self.payer.pubkey())
        self._show(plan, paid)
        if self.output is Output.BASE64:
            await require_funds(self.chain, plan)
            await self._write(plan, paid)
            return None
        require_keys(plan, {each.pubkey() for each in signers})
        await require_sol(self.chain, paid)
        await require_funds(self.chain, plan)
        trial = await self.chain.simulate(plan.instructions, signers)
        if trial.error is not None:
            raise TransactionFailed(trial)
        if self.dry_run:
            self.say("Dry run: the chain would take this now. Nothing was sent.")
            self.done.append(as_json(plan, paid))
            return None
        if not self.yes:
            if self.for_programs:
                raise UserError("--json asks no question: add --yes to sign and send, or --dry-run")
            typer.confirm("Sign and send?", abort=True)
        async with writing(self.chain):
            record = await land(self.chain, plan.instructions, signers, fees=self.fees, sending=self._tell)
        self.say(f"Done: {record.signature}")
        self.done.append(as_json(plan, paid, record))
        return record

    def _show(self, plan: Plan, paid: Payments) -> None:
        shown: list[Table | str] = [movements(plan), *payments(paid), *plan.notes]
        for each in shown:
            self.say(each)

    async def _write(self, plan: Plan, paid: Payments) -> None:
        """Print the transaction without a signature; it is good for as long as its blockhash is."""
        found = await self.chain.blockhash()
        message = MessageV0.try_compile(self.payer.pubkey(), plan.instructions, [], found.hash)
        written = base64.b64encode(bytes(unsigned(message))).decode()
        self.done.append({**as_json(plan, paid), "transaction": written})
        if not self.for_programs:
            print(written)

    def _tell(self, signature: Signature) -> None:
        """Before it is sent: whoever interrupts the command can look it up."""
        self.say(f"Sending {signature}")


Command = Callable[Concatenate[Session, Parameters], Awaitable[None]]


def signs(command: Command[Parameters]) -> Callable[..., None]:
    """Make a command of ``command``, which takes a session first and then its own arguments and options."""
    hints = get_type_hints(command, include_extras=True)
    _session, *own = (
        each.replace(annotation=hints[each.name]) for each in inspect.signature(command).parameters.values()
    )
    common = list(inspect.signature(_common, eval_str=True).parameters.values())

    @wraps(command)
    def run(**given: Any) -> None:
        how = {each.name: given.pop(each.name) for each in common}
        _run(command, given, **how)

    run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]  # typer reads it
    run.shape = Transactions  # type: ignore[attr-defined]  # as answering.answers ties it
    run.__annotations__ = {each.name: each.annotation for each in (*own, *common)}
    return run


def _common(
    *,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    fee_payer: _FeePayer = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    for_programs: SignsJsonOption = False,
    output: _OutputOption = None,
    signer: _SignerOption = None,
) -> None:
    """The options that all commands that sign have."""


def _run(  # noqa: PLR0913 - as above
    command: Callable[..., Awaitable[None]],
    given: dict[str, Any],
    *,
    chain: str | None,
    keypair: Path | None,
    fee_payer: Path | None,
    dry_run: bool,
    yes: bool,
    for_programs: bool,
    output: Output | None,
    signer: str | None,
) -> None:
    settings = options.settings(chain, keypair)
    if signer and output is None:
        raise UserError("--signer is for --output: to sign here, name a key with --keypair")
    acts: Signer = NullSigner(address(signer)) if signer else settings.signer()
    payer: Signer = read_private_keypair(fee_payer) if fee_payer else acts
    sends = not dry_run and output is None

    async def work() -> list[Sent]:
        async with connect(settings.chain, live=True, keep=sends) as connected:
            now = (await connected.clock()).unix_timestamp
            session = Session(
                connected,
                now,
                acts,
                payer,
                settings.fees,
                dry_run=dry_run,
                yes=yes,
                for_programs=for_programs,
                output=output,
                node=urlsplit(settings.chain).hostname if "://" in settings.chain else None,
            )
            await command(session, **given)
            return session.done

    done = asyncio.run(work())
    if for_programs:
        write({"transactions": done})
