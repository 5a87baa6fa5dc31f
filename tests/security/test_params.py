"""Parameters: a change takes its notice, and the guardian can drop it before."""

from tests.programs.world import DAY
from tests.security.every import SUBJECTS, with_params
from tests.security.outcomes import refused
from tests.security.people import address, do

ADMIN, GUARDIAN = address("admin"), address("guardian")
NOTICE = 7 * DAY


@with_params
def test_a_change_takes_its_notice_and_can_be_dropped(program: str) -> None:
    its = SUBJECTS[program]
    world, client = its.begin(), its.client
    before = its.config(world).params
    propose = client.propose_params(ADMIN, its.params)
    apply, cancel = client.apply_params(), client.cancel_params(GUARDIAN)
    for call in (apply, cancel):
        assert refused(world, call) == "NothingProposed"
    start = world.chain.now()
    do(world, propose)
    world.chain.warp_to(its.config(world).pending_at - 1)
    assert world.chain.now() - start == NOTICE - 1
    assert refused(world, apply) == "NoticeNotOver"
    do(world, cancel)
    world.chain.advance(1)
    for call in (apply, cancel):
        assert refused(world, call) == "NothingProposed"
    assert its.config(world).params == before != its.params
    assert its.config(world).revision == 0
    do(world, propose)
    world.chain.advance(DAY)
    # A new proposal starts the notice anew.
    do(world, propose)
    world.chain.advance(NOTICE - 1)
    assert refused(world, apply) == "NoticeNotOver"
    assert its.config(world).params == before
    world.chain.advance(1)
    do(world, apply)
    assert its.config(world).params == its.params
    assert refused(world, apply) == "NothingProposed"
    assert its.config(world).revision == 1
