"""What both kinds of chain answer about their state."""

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Account, Clock, Memcmp
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.token import read_mint
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    BOB,
    LAMPORTS,
    NOW,
    STRANGER,
    TOKENOMICS,
    Site,
    add_allocation,
    initialize,
    land,
    pay,
)

OWNER = Pubkey(b"\x42" * 32)


def put(site: Site, number: int, data: bytes, owner: Pubkey = OWNER) -> Pubkey:
    address = Pubkey(number.to_bytes(32, "big"))
    site.owner.set_account(address, Account(10**9 + number, data, owner))
    return address


async def test_accounts_come_in_the_order_asked_with_none_for_none(site: Site) -> None:
    first, second = put(site, 1, b"one"), put(site, 2, b"")
    found = await site.chain.accounts([second, STRANGER, first, second])
    two = Account(10**9 + 2, b"", OWNER)
    assert found == [two, None, Account(10**9 + 1, b"one", OWNER), two]
    assert await site.chain.accounts([]) == []


async def test_more_accounts_than_one_question_takes(site: Site) -> None:
    addresses = [put(site, number, bytes([number])) for number in range(1, 251)]
    addresses.insert(100, STRANGER)
    found = await site.chain.accounts(addresses)
    assert len(found) == 251
    assert found[100] is None
    assert [each.data[0] for each in found if each] == list(range(1, 251))


async def test_a_program_is_executable(site: Site) -> None:
    (program,) = await site.chain.accounts([TOKENOMICS.address])
    assert program is not None
    assert program.executable


async def test_an_emptied_account_is_none(site: Site) -> None:
    await land(site.chain, [pay(LAMPORTS, BOB.pubkey())], [ADMIN, ALICE])
    assert await site.chain.accounts([ALICE.pubkey()]) == [None]


async def test_program_accounts_by_owner_size_and_bytes(site: Site) -> None:
    a, b = put(site, 1, b"\x01\x02\x03\x04"), put(site, 2, b"\x01\x02\x03\x05")
    c, d = put(site, 3, b"\x01\x02\x03\x04\x05"), put(site, 4, b"")
    put(site, 5, b"\x01\x02\x03\x04", owner=STRANGER)

    async def search(size: int | None = None, *matches: Memcmp) -> set[Pubkey]:
        return set(await site.chain.program_accounts(OWNER, size=size, matches=matches))

    assert await search() == {a, b, c, d}
    assert await search(4) == {a, b}
    assert await search(0) == {d}
    assert await search(None, Memcmp(1, b"\x02\x03\x04")) == {a, c}
    assert await search(4, Memcmp(0, b"\x01"), Memcmp(3, b"\x05")) == {b}
    assert await search(None, Memcmp(3, b"\x04\x06")) == set()
    assert await search(None, Memcmp(4, b"\x05")) == {c}
    assert await search(None, Memcmp(3, b"\x04\x05\x06")) == set()
    assert await search(7) == set()
    whole = await site.chain.program_accounts(OWNER, size=5)
    assert whole == {c: Account(10**9 + 3, b"\x01\x02\x03\x04\x05", OWNER)}


async def test_a_programs_own_accounts_by_kind(site: Site) -> None:
    site.execute([initialize()], [ADMIN])
    site.execute([add_allocation(0), add_allocation(1)], [ADMIN])
    kind = Memcmp(0, TOKENOMICS.discriminator("Allocation"))
    size = TOKENOMICS.dtype("Allocation").itemsize
    found = await site.chain.program_accounts(TOKENOMICS.address, size=size, matches=[kind])
    rows = {TOKENOMICS.account("Allocation", each.data)["id"]: address for address, each in found.items()}
    assert rows == {number: TOKENOMICS.pda("add_allocation", "allocation", id=number) for number in range(2)}
    (mint,) = await site.chain.accounts([TOKENOMICS.pda("launch", "mint")])
    assert mint is not None
    assert mint.owner == TOKEN_PROGRAM
    assert read_mint(mint.data).decimals == TOKENOMICS.constants["IO_DECIMALS"]


async def test_clock(site: Site) -> None:
    before = await site.chain.clock()
    assert before == Clock(1, NOW)
    site.owner.advance(3_600)
    assert await site.chain.clock() == Clock(1 + 9_000, NOW + 3_600)
    site.owner.warp_to(-5)
    assert await site.chain.clock() == Clock(1 + 9_000, -5)
    record = await land(site.chain, [pay(LAMPORTS // 2)], [ALICE])
    assert (record.slot, record.time) == (1 + 9_000 + 1, -5)


async def test_genesis_hash_stays(site: Site) -> None:
    first = await site.chain.genesis_hash()
    await land(site.chain, [pay(1)], [ALICE])
    assert first == await site.chain.genesis_hash() == await site.owner.genesis_hash()


@pytest.mark.parametrize("count", [99, 100, 101, 200])
async def test_accounts_at_the_edges_of_a_question(site: Site, count: int) -> None:
    addresses = [STRANGER] * (count - 1) + [ALICE.pubkey()]
    found = await site.chain.accounts(addresses)
    assert [each is not None for each in found] == [False] * (count - 1) + [True]
