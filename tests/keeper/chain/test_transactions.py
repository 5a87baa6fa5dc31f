"""What both kinds of chain do with transactions, and tell about them afterwards."""

import pytest
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM

from keeper.chain import ChainError, InnerInstruction, TransactionFailed, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import MAX_COMPUTE_UNITS, TOKEN_PROGRAM, associated_token_address
from keeper.chain.program import EVENT_TAG
from keeper.chain.token import create_associated
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    BOB,
    LAMPORTS,
    NOW,
    STRANGER,
    TOKENOMICS,
    RpcSite,
    Site,
    add_allocation,
    initialize,
    land,
    pay,
)

FEE = 5_000
SYSTEM_CUSTOM_INSUFFICIENT = 1
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
TOO_BIG = r"1,?232"
NOBODY = Signature.default()


async def lamports(site: Site, keypair: Keypair) -> int:
    (account,) = await site.chain.accounts([keypair.pubkey()])
    return account.lamports if account else 0


async def test_a_sent_transaction_is_done_and_told(site: Site) -> None:
    record = await land(site.chain, [pay(7, payer=BOB, to=ADMIN.pubkey()), pay(9)], [ALICE, BOB])
    assert await lamports(site, ALICE) == LAMPORTS - 9 - 2 * FEE
    assert await lamports(site, BOB) == LAMPORTS - 7 + 9
    assert await lamports(site, ADMIN) == LAMPORTS + 7
    assert record.signers == (ALICE.pubkey(), BOB.pubkey())
    assert record.programs == (SYSTEM, SYSTEM, COMPUTE_BUDGET, COMPUTE_BUDGET)
    assert (record.slot, record.time, record.fee) == (2, NOW, 2 * FEE)
    assert (record.error, record.failed_instruction, record.code) == (None, None, None)
    assert record.inner == ()
    assert record.logs[:2] == (f"Program {SYSTEM} invoke [1]", f"Program {SYSTEM} success")
    assert record.compute_units == 4 * 150
    assert await site.chain.history(ALICE.pubkey()) == [record]


async def test_a_programs_refusal_changes_nothing(site: Site) -> None:
    await land(site.chain, [initialize()], [ADMIN])
    config = TOKENOMICS.pda("launch", "config")
    before = await site.chain.accounts([config, BOB.pubkey()])
    usurp = TOKENOMICS.instruction("propose_guardian", {"pending": ALICE.pubkey()}, admin=ALICE.pubkey())
    with pytest.raises(TransactionFailed) as caught:
        await land(site.chain, [pay(5), usurp], [ALICE])
    error = caught.value
    assert error.code is not None
    assert TOKENOMICS.error(error.code).name == "NotAdmin"
    assert str(error) == error.record.error == f"instruction 1: custom error {error.code}"
    assert error.record.failed_instruction == 1
    assert error.record.programs[1] == TOKENOMICS.address
    assert any("failed: custom program error" in line for line in error.record.logs)
    assert await site.chain.accounts([config, BOB.pubkey()]) == before


async def test_a_refusal_without_a_number(site: Site) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await land(site.chain, [Instruction(TOKENOMICS.address, bytes(8), [])], [ALICE])
    assert caught.value.code is None
    assert str(caught.value) == "instruction 0: InvalidInstructionData"


async def test_who_has_nothing_sends_nothing(site: Site) -> None:
    pauper = Keypair.from_seed(b"\x09" * 32)
    with pytest.raises(TransactionFailed) as caught:
        await land(site.chain, [pay(5, payer=pauper)], [pauper])
    assert str(caught.value) == "AccountNotFound"
    assert (caught.value.record.fee, caught.value.record.failed_instruction) == (0, None)
    assert await site.chain.history(pauper.pubkey()) == []
    site.owner.airdrop(pauper.pubkey(), LAMPORTS)
    record = await land(site.chain, [pay(5, payer=pauper)], [pauper])
    assert await site.chain.history(pauper.pubkey()) == [record]


async def test_a_transaction_too_big_for_a_packet(site: Site) -> None:
    def remark(size: int) -> Instruction:
        return Instruction(MEMO, b"x" * size, [])

    await land(site.chain, [remark(900)], [ALICE])
    with pytest.raises(ChainError, match=TOO_BIG):
        await land(site.chain, [remark(1_100)], [ALICE])
    with pytest.raises(ChainError, match=TOO_BIG):
        await site.chain.simulate([remark(1_100)], [ALICE])
    assert len(await site.chain.history(ALICE.pubkey())) == 1


async def test_the_whole_compute_budget_can_be_used(site: Site) -> None:
    record = await site.chain.simulate([initialize()], [ADMIN])
    limits = [
        line.split()[-3] for line in record.logs if line.startswith(f"Program {TOKENOMICS.address} cons")
    ]
    assert limits[-1] == "1400000"


async def test_a_priority_fee_can_be_offered(site: Site) -> None:
    record = site.execute([set_compute_unit_price(10**6), pay(1)], [ALICE])
    assert record.fee > FEE
    assert await site.chain.history(ALICE.pubkey()) == [record]


async def test_simulation_changes_nothing(site: Site) -> None:
    before = await site.chain.clock(), await lamports(site, ALICE), await lamports(site, BOB)
    record = await site.chain.simulate([pay(5)], [ALICE])
    assert record.error is None
    assert record.compute_units == 2 * 150
    assert record.programs == (SYSTEM, COMPUTE_BUDGET)
    assert record.logs[0] == f"Program {SYSTEM} invoke [1]"
    assert (await site.chain.clock(), await lamports(site, ALICE), await lamports(site, BOB)) == before
    assert await site.chain.history(ALICE.pubkey()) == []
    await land(site.chain, [pay(5)], [ALICE])


async def test_simulation_tells_a_refusal(site: Site) -> None:
    record = await site.chain.simulate([pay(5), pay(LAMPORTS)], [ALICE])
    assert record.failed_instruction == 1
    assert record.code == SYSTEM_CUSTOM_INSUFFICIENT
    assert record.error == "instruction 1: custom error 1"
    rent = await site.chain.simulate([pay(1, to=STRANGER)], [ALICE])
    assert rent.error == "InsufficientFundsForRent { account_index: 1 }"


async def test_history_oldest_first_with_bounds(site: Site) -> None:
    records = [await land(site.chain, [pay(number)], [ALICE]) for number in range(1, 6)]
    other = site.execute([pay(1, payer=ADMIN, to=STRANGER), pay(10**9, payer=ADMIN, to=STRANGER)], [ADMIN])
    assert await site.chain.history(ALICE.pubkey()) == records
    assert await site.chain.history(BOB.pubkey(), limit=2) == records[:2]
    assert await site.chain.history(ALICE.pubkey(), until=records[1].signature) == records[2:]
    assert await site.chain.history(ALICE.pubkey(), until=records[1].signature, limit=2) == records[2:4]
    assert await site.chain.history(ALICE.pubkey(), until=records[4].signature) == []
    assert await site.chain.history(ALICE.pubkey(), until=NOBODY) == records
    assert await site.chain.history(ALICE.pubkey(), limit=0) == []
    assert await site.chain.history(ALICE.pubkey(), limit=99) == records
    assert await site.chain.history(STRANGER) == [other]
    assert await site.chain.history(SYSTEM) == [*records, other]
    assert await site.chain.history(Pubkey(b"\x88" * 32)) == []


async def test_history_has_what_failed_on_chain(site: Site) -> None:
    failed = site.execute([pay(LAMPORTS)], [ALICE])
    rent = site.execute([pay(1, to=STRANGER)], [ALICE])
    good = site.execute([pay(1)], [ALICE])
    assert failed.error == "instruction 0: custom error 1"
    assert rent.error == "InsufficientFundsForRent { account_index: 1 }"
    assert await site.chain.history(ALICE.pubkey()) == [failed, rent, good]
    assert await lamports(site, ALICE) == LAMPORTS - 3 * FEE - 1


def shape(record: TransactionRecord) -> list[tuple[int, int, Pubkey]]:
    return [(call.outer, call.stack_height, call.program) for call in record.inner]


async def test_inner_instructions_in_order_of_execution(site: Site) -> None:
    await land(site.chain, [initialize()], [ADMIN])
    sent = await land(site.chain, [pay(1), add_allocation(0), pay(2), add_allocation(1)], [ADMIN, ALICE])
    (_, record) = await site.chain.history(TOKENOMICS.address)
    assert record == sent
    assert shape(record) == [
        (outer, 2, program) for outer in (1, 3) for program in (SYSTEM, TOKENOMICS.address)
    ]
    event = record.inner[1]
    assert event.accounts == (TOKENOMICS.event_authority,)
    assert event.data.startswith(EVENT_TAG)
    first, second = TOKENOMICS.events(record)
    assert (first.name, first.fields["id"], second.fields["id"]) == ("AllocationAdded", 0, 1)


async def test_inner_instructions_of_inner_instructions(site: Site) -> None:
    """The associated token program calls the token program, which calls nobody, four times."""
    await land(site.chain, [initialize()], [ADMIN])
    mint = TOKENOMICS.pda("launch", "mint")
    account = associated_token_address(ALICE.pubkey(), mint)
    await land(site.chain, [create_associated(ALICE.pubkey(), ALICE.pubkey(), mint)], [ALICE])
    (record,) = await site.chain.history(account)
    assert [call.program for call in record.inner] == [TOKEN_PROGRAM, SYSTEM, TOKEN_PROGRAM, TOKEN_PROGRAM]
    assert {(call.outer, call.stack_height) for call in record.inner} == {(0, 2)}
    last = record.inner[-1]
    assert last == InnerInstruction(0, 2, TOKEN_PROGRAM, (account, mint), b"\x12" + bytes(ALICE.pubkey()))


async def test_both_chains_tell_the_same(embedded: EmbeddedChain, rpc: RpcSite) -> None:
    """Blockhashes are counted the same way, so even signatures are equal."""
    limit = set_compute_unit_limit(MAX_COMPUTE_UNITS)
    sent = (
        ([initialize()], [ADMIN]),
        ([add_allocation(0), pay(3)], [ADMIN, ALICE]),
        ([pay(LAMPORTS)], [ALICE]),
    )
    for instructions, signers in sent:
        embedded.execute(instructions, signers)
        rpc.execute([*instructions, limit], signers)
    addresses = [TOKENOMICS.address, ALICE.pubkey(), ADMIN.pubkey()]
    assert await embedded.accounts(addresses) == await rpc.chain.accounts(addresses)
    for address in (SYSTEM, ADMIN.pubkey(), TOKENOMICS.pda("launch", "config")):
        history = await embedded.history(address)
        assert history
        assert history == await rpc.chain.history(address)
    expected = await embedded.simulate([add_allocation(1)], [ADMIN])
    found = await rpc.chain.simulate([add_allocation(1)], [ADMIN])
    assert found == expected._replace(signature=found.signature, fee=0, time=0, inner=())
