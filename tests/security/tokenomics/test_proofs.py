"""Merkle proofs: nodes as leaves, others' proofs, and roots of other seasons, mints and programs."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT, PROGRAM
from keeper.economy import merkle
from keeper.economy.seasons import Claim, Distribution, leaf
from keeper.economy.supply import IO
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, World
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.stages import AMOUNTS, ENDED, RUNNING, season_amounts, stage

ADMIN, ALICE, BOB, MALLORY = (address(name) for name in ("admin", "alice", "bob", "mallory"))
SEASON = distribution(RUNNING, season_amounts(RUNNING))


def claim(each: Claim, proof: bytes, number: int = RUNNING) -> Instruction:
    return client.claim_season(number, each.index, each.wallet, each.amount, proof)


def of(name: str, season: Distribution = SEASON) -> Claim:
    found = season.claim(address(name))
    assert found is not None
    return found


def hashed(each: Claim) -> bytes:
    return leaf(PROGRAM.address, MINT, RUNNING, each)


_MALLORYS = of("mallory")
_GOOD = SEASON.proof(_MALLORYS)
_OTHER = distribution(ENDED, season_amounts(ENDED))

FORGERIES: dict[str, Callable[[], Instruction]] = {
    "a base unit more": lambda: claim(replace(_MALLORYS, amount=_MALLORYS.amount + 1), _GOOD),
    "a base unit less": lambda: claim(replace(_MALLORYS, amount=_MALLORYS.amount - 1), _GOOD),
    "another's leaf for oneself": lambda: claim(
        replace(of("alice"), wallet=MALLORY), SEASON.proof(of("alice"))
    ),
    "another's proof": lambda: claim(_MALLORYS, SEASON.proof(of("alice"))),
    "another's index": lambda: claim(replace(_MALLORYS, index=of("alice").index), _GOOD),
    "no proof": lambda: claim(_MALLORYS, b""),
    "a proof cut by a byte": lambda: claim(_MALLORYS, _GOOD[:-1]),
    "a proof cut by a hash": lambda: claim(_MALLORYS, _GOOD[:-32]),
    "a byte more": lambda: claim(_MALLORYS, _GOOD + b"\0"),
    "a hash more": lambda: claim(_MALLORYS, _GOOD + bytes(32)),
    "the root itself behind it": lambda: claim(_MALLORYS, _GOOD + SEASON.root),
    "its hashes in another order": lambda: claim(of("alice"), _swapped(SEASON.proof(of("alice")))),
    "a proof of another season": lambda: claim(of("alice", _OTHER), _OTHER.proof(of("alice", _OTHER))),
}


def _swapped(proof: bytes) -> bytes:
    # A proof of one hash has no order: then the cases of other hashes are enough.
    return proof[32:64] + proof[:32] if len(proof) > 32 else bytes(32) + proof


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_proof(name: str) -> None:
    assert refused(stage("running"), FORGERIES[name]()) == "InvalidProof"


def test_the_last_season_proves_nothing_in_the_next() -> None:
    """The same root published again: a leaf holds its season's number."""
    world = stages.running()
    call = client.open_season(ADMIN, SEASON, world.chain.now() + DAY, world.chain.now() + 31 * DAY)
    number = 7
    data = PROGRAM.decode_instruction(bytes(call.data))
    assert data is not None
    again = {**data[1], "season": number}
    do(
        world,
        PROGRAM.instruction("open_season", again, admin=ADMIN, funder_tokens=client.tokens_address(ADMIN)),
        client.open_claim_page(ALICE, number, 0),
    )
    world.chain.advance(DAY)
    assert refused(world, claim(of("alice"), SEASON.proof(of("alice")), number)) == "InvalidProof"
    do(world, claim(of("alice"), SEASON.proof(of("alice"))))


def published(world: World, root: bytes, leaves: int = 4, number: int = 8) -> None:
    """A season with any root, its claims open."""
    start = world.chain.now() + DAY
    arguments = {
        "season": number,
        "root": root,
        "data_hash": bytes(32),
        "leaves": leaves,
        "pools": [100 * IO, 0, 0],
        "claim_start": start,
        "claim_end": start + 30 * DAY,
    }
    tokens = client.tokens_address(ADMIN)
    do(world, PROGRAM.instruction("open_season", arguments, admin=ADMIN, funder_tokens=tokens))
    do(world, client.open_claim_page(ALICE, number, 0))
    world.chain.advance(DAY)


FOREIGN: dict[str, Callable[[Claim], bytes]] = {
    "another program's": lambda each: leaf(stages.IMPOSTOR, MINT, 8, each),
    "another mint's": lambda each: leaf(PROGRAM.address, stages.OTHER_MINT.pubkey(), 8, each),
    "another season's": lambda each: leaf(PROGRAM.address, MINT, 7, each),
    # SHA-256 of the same parts under the tag of nodes, and under none.
    "a node's": lambda each: sha256(merkle.NODE_TAG + _parts(each)).digest(),
    "untagged": lambda each: sha256(_parts(each)).digest(),
}


def _parts(each: Claim) -> bytes:
    season, index = (8).to_bytes(4, "little"), each.index.to_bytes(4, "little")
    amount = each.amount.to_bytes(8, "little")
    return bytes(PROGRAM.address) + bytes(MINT) + season + index + bytes(each.wallet) + amount


@pytest.mark.parametrize("name", FOREIGN)
def test_a_leaf_is_bound_to_program_mint_season_and_its_tag(name: str) -> None:
    """The root is a single leaf, hashed as if it were another's: the same figures prove nothing here."""
    world = stages.running()
    each = Claim(0, ALICE, IO)
    published(world, FOREIGN[name](each), leaves=1)
    assert refused(world, claim(each, b"", 8)) == "InvalidProof"


def test_a_node_is_no_leaf() -> None:
    """Second preimage: the 65 bytes under a node, or two leaves side by side, presented as a leaf.

    A leaf's preimage is 113 bytes behind another tag, so that no choice of index, wallet and amount
    makes a node's; what is left is to present a node where a leaf's sibling belongs.
    """
    leaves = [hashed(each) for each in SEASON.claims]
    tree = merkle.Tree(leaves)
    pair = merkle.node(leaves[0], leaves[1])
    assert tree.root == merkle.node(pair, leaves[2])
    assert len(merkle.LEAF_TAG + _parts(SEASON.claims[0])) == 113
    world = stage("running")
    for each in SEASON.claims:
        for proof in (pair, leaves[2], pair + leaves[2], leaves[0] + leaves[1] + leaves[2], tree.root):
            # One of these is the third leaf's own sibling.
            if proof != SEASON.proof(each):
                assert refused(world, claim(each, proof)) == "InvalidProof"


def test_a_root_of_untagged_nodes_is_not_ours() -> None:
    """Trees without the node tag, or of unsorted pairs, don't verify: a publisher's mistake shows."""
    a, b = (leaf(PROGRAM.address, MINT, 8, Claim(i, wallet, IO)) for i, wallet in enumerate((ALICE, BOB)))
    high, low = max(a, b), min(a, b)
    for root in (sha256(low + high).digest(), sha256(merkle.NODE_TAG + high + low).digest()):
        world = stages.running()
        published(world, root, leaves=2)
        assert refused(world, claim(Claim(0, ALICE, IO), b, 8)) == "InvalidProof"


def test_a_claim_page_of_another_season_or_place() -> None:
    world = stage("running")
    call = claim(of("alice"), SEASON.proof(of("alice")))
    metas = list(call.accounts)
    metas[1] = AccountMeta(client.claim_page_address(ENDED, 0), False, True)
    assert refused(world, Instruction(call.program_id, call.data, metas)) == "WrongPage"


def test_a_claim_paid_to_somebody_else() -> None:
    """The wallet is the leaf's, the token account mallory's; then both are mallory's."""
    call = claim(of("alice"), SEASON.proof(of("alice")))
    tokens: Pubkey = client.tokens_address(MALLORY)
    metas = list(call.accounts)
    metas[4] = AccountMeta(tokens, False, True)
    world = stage("running")
    assert refused(world, Instruction(call.program_id, call.data, metas)) == "NotAssociatedAccount"
    metas[3] = AccountMeta(MALLORY, False, False)
    assert refused(world, Instruction(call.program_id, call.data, metas)) == "InvalidProof"


def test_the_longest_proof_that_fits_a_packet_only_costs_its_sender() -> None:
    """About 20 levels: hashed to the end within the limits of a transaction, then refused."""
    most = 640
    assert refused(stage("running"), claim(of("alice"), bytes(most))) == "InvalidProof"


def test_everybody_gets_their_own_amount_and_the_rest_goes_back() -> None:
    world = stages.running()
    before = {name: world.balance(address(name)) for name in AMOUNTS}
    for each in SEASON.claims:
        do(world, claim(each, SEASON.proof(each)))
    for name, amount in AMOUNTS.items():
        assert world.balance(address(name)) - before[name] == amount + RUNNING
    assert world.tokens(client.season_vault_address(RUNNING)) == 0
