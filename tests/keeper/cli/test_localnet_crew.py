"""Devices that prove on a network of one's own, and operators, each in a process: hired, paid, rewarded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from keeper.chain import Chain
from keeper.chain.connect import connect
from keeper.cli import localnet_crew
from keeper.clients import orders, staking
from keeper.economy.calendar import HOUR
from keeper.economy.orders import LeaseStatus, fee
from keeper.pow.codes import Code
from keeper.rewards.publication import claimable, read_manifest
from keeper.rewards.rule import UPTIME
from keeper.worker.trial import Trial
from tests.keeper.cli.running import localnet, typed, until

CREW = Path("out/localnet/crew")
PAID = 1 + UPTIME // HOUR + 1
"""The first hour that is paid: devices are up from hour 1 on, and have to be for longer than five hours."""


def asked(url: str, question: Callable[[Chain], Awaitable[Any]]) -> Any:
    """What a network's chain says."""

    async def ask() -> Any:
        async with connect(url) as chain:
            return await question(chain)

    return asyncio.run(ask())


def hours(url: str, passed: int) -> bool:
    """Whether operators have agreed on an hour."""
    config = asked(url, staking.read_config)
    block = asked(url, lambda chain: staking.read_hours(chain, [passed])).get(passed)
    return passed < config.next_hour or (block is not None and block.is_decided(config))


def io_of(ionet, name: str, url: str) -> int:
    code, out, err = ionet("balance", "--keypair", f"out/localnet/keys/{name}.json", "--chain", url, "--json")
    assert code == 0, err
    return int(json.loads(out)["io"])


def test_a_device_is_hired_paid_and_rewarded_and_nothing_of_it_is_left(ionet) -> None:
    """Two hours of a network's life with all that is in them, and what is due of others by leaps.

    Nothing is told to anybody but by the chain and by HTTP, and nothing waits for a time of this machine's.
    """
    with localnet("--workers", "2", "--speed", "600") as (url, said):
        for name in ("operator-1", "operator-3-keeper", "operator-2-files", "worker", "worker-2"):
            assert f"{name} " in said and (CREW.resolve() / f"{name}.log").exists()
        assert len(crew_in(Path.cwd())) == 3 * 3 + 2
        code, out, _ = ionet("device", "list", "--chain", url, "--json")
        assert code == 0 and len(json.loads(out)["devices"]) == 2
        until(lambda: hours(url, 1))

        had = {name: io_of(ionet, name, url) for name in ("supplier", "renter")}
        code, _, err = ionet(*typed(said, "order create"), "--yes")
        assert code == 0, err
        leases = []

        def is_running() -> bool:
            leases[:] = asked(url, orders.read_leases).values()
            return [each.status for each in leases] == [LeaseStatus.RUNNING]

        until(is_running)
        (lease,) = leases
        advance(ionet, url, "3h")
        # Whose term is over is settled by anybody; the renter gets the rest back, and both accounts close.
        until(lambda: not asked(url, orders.read_leases))
        whole = lease.rate * lease.hours
        charge = fee(whole, asked(url, orders.read_config).params.supplier_fee_bps)
        assert io_of(ionet, "supplier", url) - had["supplier"] == whole - charge
        assert had["renter"] - io_of(ionet, "renter", url) == whole + fee(whole, lease.renter_fee_bps)

        until(lambda: hours(url, 5))
        advance(ionet, url, "2h")
        until(lambda: hours(url, PAID))
        advance(ionet, url, "70m")
        until(lambda: asked(url, staking.read_config).next_hour > PAID)
        rewards = CREW / "operator-1/rewards"
        assert [read_manifest(rewards, each).paid > 0 for each in range(PAID + 1)] == [False] * PAID + [True]
        assert read_manifest(rewards, PAID).succeeded == 2
        supplier = Keypair.from_bytes(bytes(json.loads(Path("out/localnet/keys/supplier.json").read_text())))
        earned = claimable(rewards, PAID, supplier.pubkey()).lifetime
        before = io_of(ionet, "supplier", url)
        claim = ["rewards", "claim", "--wallet", supplier.pubkey(), "--dir", rewards, "--chain", url]
        code, out, err = ionet(*claim, "--keypair", "out/localnet/keys/supplier.json", "--yes")
        assert code == 0, err
        gained = io_of(ionet, "supplier", url) - before
        assert 0 < gained <= earned  # There is a limit to all claims of an hour.
        assert gained == asked(url, staking.read_config).claimed
        code, out, err = ionet("rewards", "verify", "--dir", rewards, "--chain", url)
        assert code == 0, err + out
    assert not crew_in(Path.cwd())


def advance(ionet, url: str, time: str) -> None:
    assert ionet("clock", "advance", time, "--chain", url)[0] == 0


def crew_in(folder: Path) -> list[int]:
    """The processes in a folder that go by light profiles: operators' and devices'."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (each / "cwd").readlink() == folder and b"IONET_PROFILES=" in (each / "environ").read_bytes():
                found.append(int(each.name))
    return found


@pytest.mark.parametrize("wrong", [{"code": Code.WORK_WRONG}, {"product_ms": 60_000}])
def test_a_machine_that_errs_or_is_too_slow_is_told_so(
    ionet, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    """Its devices would fail in every wave, and nobody would know why."""
    run = localnet_crew.run_trial

    def errs(*given: Any) -> Trial:
        return replace(run(*given), **wrong)

    monkeypatch.setattr(localnet_crew, "run_trial", errs)
    code, _, err = ionet("localnet", "--workers", "1", "--rpc", "127.0.0.1:0")
    assert code == 1 and "this machine errs, or is far too slow" in err
    assert not crew_in(Path.cwd())
