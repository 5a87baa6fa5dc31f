"""One call of each instruction that succeeds, and where."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import tokenomics as client
from keeper.deploy import staking_program
from keeper.economy.genesis import read_table
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, START_MONTH, World
from tests.security.matrix import Call
from tests.security.people import DEPUTY, HEIR, address
from tests.security.tokenomics import stages
from tests.security.tokenomics.stages import CLOSED, ENDED, RUNNING, WAITING, season_amounts

NEW_SEASON = 9
LAST_ROW = read_table()[-1]


def claim(number: int, name: str, *, to: Pubkey | None = None) -> Instruction:
    """The claim of one of a season's wallets, which signs where it names another account."""
    season = distribution(number, season_amounts(number))
    leaf = season.claim(address(name))
    assert leaf is not None
    return client.claim_season(number, leaf.index, leaf.wallet, leaf.amount, season.proof(leaf), to=to)


def _open_season(world: World) -> Instruction:
    start = world.chain.now() + DAY
    season = distribution(NEW_SEASON, season_amounts(NEW_SEASON))
    return client.open_season(address("admin"), season, start, start + 30 * DAY)


CALLS = {
    "initialize": Call(
        "empty", lambda _: client.initialize(address("admin"), staking_program(), address("guardian"))
    ),
    "add_allocation": Call(
        "table", lambda _: client.add_allocation(address("admin"), LAST_ROW, address(LAST_ROW.label))
    ),
    "launch": Call("complete", lambda _: client.launch(address("admin"), START_MONTH)),
    "release": Call("running", lambda _: client.release(3, address("ecosystem"))),
    "propose_beneficiary": Call(
        "running", lambda _: client.propose_beneficiary(0, address("seed"), address(HEIR))
    ),
    "accept_beneficiary": Call("running", lambda _: client.accept_beneficiary(1, address(HEIR))),
    "open_season": Call("running", _open_season),
    "open_claim_page": Call("running", lambda _: client.open_claim_page(address("alice"), WAITING, 0)),
    "claim_season": Call("running", lambda _: claim(RUNNING, "alice")),
    "cancel_season": Call("running", lambda _: client.cancel_season(address("guardian"), WAITING)),
    "close_season": Call("running", lambda _: client.close_season(ENDED, address("admin"))),
    "close_claim_page": Call("running", lambda _: client.close_claim_page(CLOSED, 0, address("alice"))),
    "emit": Call("running", lambda _: client.emit()),
    "burn": Call("running", lambda world: stages.burn(world, 1)),
    "sync_burned": Call("running", lambda _: client.sync_burned()),
    "set_pause": Call(
        "running",
        lambda world: client.set_pause(address("guardian"), client.PAUSE_EMISSION, world.chain.now() + DAY),
    ),
    "propose_admin": Call("running", lambda _: client.propose_admin(address("admin"), address("bob"))),
    "accept_admin": Call("running", lambda _: client.accept_admin(address(HEIR))),
    "propose_guardian": Call("running", lambda _: client.propose_guardian(address("admin"), address("bob"))),
    "accept_guardian": Call("running", lambda _: client.accept_guardian(address(DEPUTY))),
}
