"""``ionet worker``: prove a device's work to the network, from the device itself."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import time
from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer
from rich.console import Group
from rich.live import Live
from solders.pubkey import Pubkey

from keeper.chain.http import http_client
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption
from keeper.clients import staking
from keeper.compute import runtime
from keeper.economy.classes import ClassRow, ProcessorKind, read_classes
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.pow.codes import Code
from keeper.pow.profiles import Profile
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.runtime import logs
from keeper.settings import Settings
from keeper.settings.findings import CheckState
from keeper.settings.keys import KeyRefused, make_keypair
from keeper.terminal import tables
from keeper.terminal import worker as shown
from keeper.terminal.answers import working
from keeper.terminal.findings import checks
from keeper.terminal.findings import findings as findings_table
from keeper.terminal.tables import console
from keeper.worker import assemble
from keeper.worker.doctor import Doctor
from keeper.worker.earnings import earned
from keeper.worker.hardware import look
from keeper.worker.lease_book import LeaseBook
from keeper.worker.state import FILE, Enrolment, Store
from keeper.worker.trial import Trial, run_trial

app = typer.Typer(help="Prove a device's work, from the device itself.", no_args_is_help=True)

STOP_SECONDS = 5.0
"""How long a worker takes to end, at most: what a product has made so far is made again."""
SHOWN = 12
"""Waves in the live table."""
EARNED_SECONDS = 300
"""How often it is asked what was earned, which changes once an hour."""
ClassOption = Annotated[str, typer.Option("--class", help="the class's name, such as 'RTX 4090'")]
BackendOption = Annotated[
    Literal["numpy", "torch"] | None,
    typer.Option(help="what computes the waves", show_default="torch for cards, numpy for CPUs"),
]
ProcessorsOption = Annotated[
    int, typer.Option(min=1, max=staking.MAX_PROCESSORS, help="processors of the device")
]


@app.command("run")
def run(chain: ChainOption = None, keypair: KeypairOption = None) -> None:
    """Answer every wave and ping from now on, with a live table in a terminal and events in a log elsewhere.

    Calls outward alone, to the operators of IONET_OPERATORS and to IONET_CHAIN if it is set. Whatever is
    under way when it is stopped or killed, it goes on with afterwards.
    """
    settings = options.settings(chain, keypair)
    if not console.is_terminal:
        logs.configure(settings.log)
        asyncio.run(_run(settings, None))
        return
    with Live(console=console, auto_refresh=False) as live:
        # Below the table: from here on stderr is the table's, too.
        logs.configure("console")
        asyncio.run(_run(settings, live))


@app.command("enrol")
@answers(working.Enrolled)
def enrol(
    class_: ClassOption,
    processors: ProcessorsOption = 1,
    backend: BackendOption = None,
    new: Annotated[Path | None, typer.Option(help="make the machine's own key, in this file")] = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test this machine for a class, and say how its supplier registers it.

    The key is the machine's own. The product of a wave is made once, and verified; the backend must be exact.

    Example: ionet worker enrol --class "RTX 4090" --new worker.json
    """
    if new is not None:
        make_keypair(new)
    settings = options.settings(None, new or keypair)
    worker = settings.signer().pubkey()
    row, profile = _class(class_, settings)
    chosen = _backend_of(row, backend)
    exact = assemble.exact_backend(chosen)
    device = staking.device_address(worker)
    store = Store(settings.worker)
    try:
        if not as_json:
            console.print(f"{exact.name} is exact. Making a wave of profile {profile.id} ...", soft_wrap=True)
        found = _tried(run_trial(exact, device, profile, processors), quiet=as_json)
        store.enrol(Enrolment(device, row.id, profile.id, processors, chosen, found.product_ms))
    finally:
        store.close()
    key_file = str(new or settings.keypair)
    if not new and (settings.signer_command or settings.key):
        key_file = "WORKER.json"
    command = ["ionet", "device", "register", "--worker", key_file, "--class", row.name]
    command += ["--processors", str(processors), "--country", "CC"]
    if as_json:
        told = {"worker": str(worker), "device": str(device), "backend": exact.name}
        write({**told, "trial": shown.trial_json(found), "register": command})
    else:
        _say_how(worker, device, command, found)
    if not found.is_in_time:
        raise typer.Exit(1)


def _say_how(worker: Pubkey, device: Pubkey, command: list[str], found: Trial) -> None:
    """How a machine's supplier registers it."""
    if not found.is_in_time:
        console.print("Too slow for this class: it would be late in every wave.", style="bold red")
    console.print(f"\nThe machine's key is {worker}, the device {device}.", soft_wrap=True)
    console.print("Its supplier registers it, with both keys at hand, and stakes on it:", soft_wrap=True)
    console.print(f"  {shlex.join(command)}", soft_wrap=True, highlight=False)
    console.print(
        "CC is the country, such as CH. The supplier needs the class's minimum stake in IO and 0.02 SOL: a "
        "deposit of 0.01, which comes back, rent and fees. Then: ionet worker run",
        soft_wrap=True,
    )


@app.command("status")
@answers(working.WorkerStatus)
def status(
    keypair: KeypairOption = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="so many waves, and so many leases")] = SHOWN,
    as_json: JsonOption = False,
) -> None:
    """This device's last waves and leases: what it signed, the receipts that prove it, what it earned."""
    settings = options.settings(None, keypair)
    device = staking.device_address(settings.signer().pubkey())
    missing = assemble.NotReady(f"{device} is not enrolled in {settings.worker}: run {assemble.ENROL} first")
    if not (settings.worker / FILE).exists():
        raise missing
    store = Store(settings.worker, alone=False)
    try:
        if store.enrolment(device) is None:
            raise missing
        found = [(kept, store.receipts(device, kept.seed)) for kept in store.newest(device, count)]
        leases = LeaseBook(store).newest(device, count)
    finally:
        store.close()
    now = int(time.time())
    if not as_json:
        tables.show(shown.waves(found, len(settings.operators)))
        tables.show(shown.leases(leases, now))
        return
    write(
        {
            "device": str(device),
            "waves": [shown.wave_row(*each) for each in found],
            "leases": [shown.lease_row(each, now) for each in leases],
        }
    )


@app.command("doctor")
@answers(working.Checks)
def doctor(chain: ChainOption = None, keypair: KeypairOption = None, as_json: JsonOption = False) -> None:
    """Check all that a worker needs, and say what to do; exits with 1 when something must be done."""
    settings = options.settings(chain, keypair)
    key: Pubkey | KeyRefused
    try:
        key = settings.signer().pubkey()
    except KeyRefused as error:
        key = error
    found = asyncio.run(Doctor(settings, key, look()).examine())
    if as_json:
        write({"checks": checks(found)})
    else:
        tables.show(findings_table(found))
    if any(each.state is CheckState.WRONG for each in found):
        raise typer.Exit(1)


@app.command("runtime")
@answers(working.Runtime)
def runtime_(as_json: JsonOption = False) -> None:
    """Install the Ray that this device runs for renters: 380 MB, by the hashes of a lock, once.

    It lies in IONET_RUNTIMES, which workers on one machine may share. What is there already stays as it is.
    """
    place = options.settings().runtimes.expanduser()
    if not as_json and runtime.find(place) is None:
        console.print("Installing renters' Ray: this takes a minute or two ...", soft_wrap=True)
    found = runtime.install(place)
    if as_json:
        write({"folder": str(found.folder), "sha256": runtime.identity().hex()})
    else:
        console.print(f"renters' Ray is in {found.folder}", soft_wrap=True, highlight=False)


@app.command("test")
@answers(working.Trial)
def test(
    class_: Annotated[str | None, typer.Option("--class", help="a wave of this class, by its name")] = None,
    profile: Annotated[
        int | None, typer.Option(help="a wave of this profile; 0 is tiny", show_default="0")
    ] = None,
    processors: ProcessorsOption = 1,
    backend: BackendOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a wave here, open it and verify it, and show the times against the deadline; needs no network."""
    name, settings = backend or assemble.NUMPY, options.settings()
    if class_ is not None:
        row, chosen = _class(class_, settings)
        name = _backend_of(row, backend)
    else:
        profiles = read_profiles_by_hour(settings.profiles).at(int(time.time()))
        found = profiles.get(profile or 0)
        if found is None:
            raise UserError(f"there is no profile {profile}; there are {', '.join(map(str, profiles))}")
        chosen = found
    trial = _tried(
        run_trial(assemble.exact_backend(name), Pubkey.default(), chosen, processors), quiet=as_json
    )
    if as_json:
        write(shown.trial_json(trial))
    if not trial.is_in_time:
        raise typer.Exit(1)


def _backend_of(row: ClassRow, backend: str | None) -> str:
    """The backend that was named, else the one for a class's kind."""
    return backend or (assemble.NUMPY if row.kind is ProcessorKind.CPU else assemble.TORCH)


def _tried(found: Trial, *, quiet: bool) -> Trial:
    """Show a trial; raises UserError when a verifier would refuse it."""
    if not quiet:
        tables.show(shown.trial(found))
    if found.code is not Code.PASS:
        raise UserError(
            f"a wave that was made here is not right ({found.code.name}): this machine computes wrongly"
        )
    return found


def _class(name: str, settings: Settings) -> tuple[ClassRow, Profile]:
    """A class and what its devices do; raises UserError naming the classes that there are."""
    rows = read_classes()
    found = next((each for each in rows if each.name.lower() == name.lower()), None)
    if found is None:
        alike = [each.name for each in rows if name.lower() in each.name.lower()] or [x.name for x in rows]
        raise UserError(f"no class is called {name!r}; there are {', '.join(alike)}")
    profile = read_profiles_by_hour(settings.profiles).at(int(time.time())).of_class(found.id)
    if profile is None:
        raise UserError(f"class {found.name} has no profile yet: its devices have nothing to prove")
    return found, profile


async def _run(settings: Settings, live: Live | None) -> None:
    stop, events = asyncio.Event(), asyncio.get_running_loop()
    log = structlog.get_logger()

    def stopped() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        log.info("worker.stopping")
        # A product under way can't be interrupted; the next start goes on from the disk.
        events.call_later(STOP_SECONDS, os._exit, 0)

    async with assemble.assembled(settings, log) as found:
        for number in (signal.SIGINT, signal.SIGTERM):
            events.add_signal_handler(number, stopped)
        if live is None:
            await found.agent.run(stop)
            return
        showing = asyncio.create_task(_show(found, live, [str(each) for each in settings.peers]))
        try:
            await found.agent.run(stop)
        finally:
            showing.cancel()


async def _show(assembled: assemble.Assembled, live: Live, peers: list[str]) -> None:
    """Keep the table as things are."""
    agent = assembled.agent
    (device,) = agent.devices
    profile = f"{device.profile.id}: {shown.size(device.profile)}, {device.processors} processors"
    income = ["not known: set IONET_CHAIN, and IONET_PEERS to who serves reward blocks"]
    async with asyncio.TaskGroup() as group:
        if assembled.payout is not None and peers:
            group.create_task(_follow(assembled.payout, peers, income))
        while True:
            waves = agent.store.newest(device.address, SHOWN)
            rows = [(kept, agent.store.receipts(device.address, kept.seed)) for kept in waves]
            facts = {
                "device": str(device.address),
                "profile": profile,
                "now": agent.waves.doing.get(device.address, "waiting for a wave, about one an hour"),
                "newest slot": f"{agent.slot:,}" if agent.slot else "nothing was heard yet",
                "pings answered": f"{agent.pongs:,}",
                "lease": "none without a node: set IONET_CHAIN",
                "earned": income[0],
            }
            if agent.leases is not None:
                newest = next(iter(agent.leases.book.newest(device.address, 1)), None)
                facts["lease"] = shown.lease_line(newest, int(time.time()))
            if agent.serving is not None:
                facts["serving"] = str(agent.serving.hired[device.address].service.agent.state)
            live.update(Group(shown.summary(facts), shown.waves(rows, len(agent.operators))), refresh=True)
            await asyncio.sleep(1)


async def _follow(payout: Pubkey, peers: list[str], said: list[str]) -> None:
    """Keep the line on what the payout wallet has earned as things are."""
    async with http_client() as http:
        while True:
            found = await earned(http, peers, payout)
            if found is not None:
                io = show(found.lifetime, Currency.IO)
                said[0] = f"{io} IO by the end of emission hour {found.hour}, with all devices of {payout}"
            else:
                said[0] = "no hour is published yet in which the payout wallet has earned anything"
            await asyncio.sleep(EARNED_SECONDS)
