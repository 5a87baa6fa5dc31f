"""The committed vectors: the specification's, and those of a second reading in plain integers."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.pow import residency, seeds, tree
from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import Code
from keeper.pow.generator import generate, row_keys
from keeper.pow.hashing import digest
from keeper.pow.opening import Claim, make_opening, opening_length
from keeper.pow.product import checks, key, product
from keeper.pow.profiles import Profile, Residency
from keeper.pow.prove import prove
from keeper.pow.seeds import Pick
from keeper.pow.verify import verify_batch
from tests.keeper.pow import independent

FOLDER = Path(__file__).parents[2] / "vectors"
GOLDEN = json.loads((FOLDER / "pow.json").read_text())
OWN = json.loads((FOLDER / "pow_own.json").read_text())
SEEDS, OPERANDS = GOLDEN["seeds"], GOLDEN["operands"]
PROFILE = Profile(**OPERANDS["profile"], T_ms=8000)
DEVICE = Pubkey(bytes.fromhex(SEEDS["device"]))


def raw(name: str) -> bytes:
    return bytes.fromhex(SEEDS[name])


WAVE, OPEN = raw("wave_seed"), raw("open_seed")


def hashed(array: Any) -> str:
    return sha256(array.tobytes()).hexdigest()


def test_hash_and_mix() -> None:
    assert digest(GOLDEN["H"]["tag"]).hex() == GOLDEN["H"]["empty"]
    # The key of row 0 under the zero seed is mix(mix(g)).
    assert independent.mix(independent.G) == int(GOLDEN["H"]["mix64"][2], 16)
    assert [f"{independent.mix(each):016x}" for each in (1, 2)] == GOLDEN["H"]["mix64"][:2]
    assert int(row_keys(bytes(16), [0])[0]) == independent.mix(independent.mix(independent.G))


def test_seeds() -> None:
    program = Pubkey(raw("program"))
    assert seeds.wave_seed(raw("genesis"), program, SEEDS["slot"], raw("blockhash")) == WAVE
    assert seeds.open_seed(WAVE, SEEDS["open_slot"], raw("open_blockhash")) == OPEN
    assert [seeds.seed_a(WAVE, DEVICE, each) for each in (0, 1)] == [raw("seed_A_proc0"), raw("seed_A_proc1")]
    assert seeds.seed_b(WAVE, 0) == raw("seed_B_profile0")


def test_operands_product_and_commitment() -> None:
    a = generate(raw("seed_A_proc0"), range(PROFILE.m), PROFILE.K)
    bt = generate(raw("seed_B_profile0"), range(PROFILE.n), PROFILE.K)
    q = key(WAVE, 0)
    assert a[0, :32].tobytes().hex() == OPERANDS["A_row0_first32"]
    assert a[7, -32:].tobytes().hex() == OPERANDS["A_row7_last32"]
    assert bt[0, :32].tobytes().hex() == OPERANDS["B_column0_first32"]
    assert bt[511, -32:].tobytes().hex() == OPERANDS["B_column511_last32"]
    assert (hashed(a), hashed(bt)) == (OPERANDS["A_sha256"], OPERANDS["B_transposed_sha256"])
    assert hashed(q) == OPERANDS["Q_sha256"]
    c = product(a, bt)
    assert c[0, :8].tolist() == GOLDEN["product"]["C_row0_first8"]
    assert hashed(c) == GOLDEN["product"]["C_sha256_int32_le"]
    record = checks(c, q).tobytes()
    assert record[: PROFILE.record].hex() == GOLDEN["commit"]["record_row0"]
    leaves = tree.leaves(record, PROFILE.record)
    assert leaves.hex() == "".join(GOLDEN["commit"]["leaves"])
    assert tree.levels(leaves)[-1].hex() == GOLDEN["commit"]["root_proc0"]


def test_a_device_proves_and_opens() -> None:
    proof = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 1)
    assert proof.root.hex() == GOLDEN["commit"]["device_root"]
    chosen = seeds.picks(OPEN, DEVICE, proof.root, PROFILE, 1)
    assert [list(each) for each in chosen] == GOLDEN["opening"]["picks_proc_row_segment"]
    blob = proof.open(chosen)
    assert blob.hex() == GOLDEN["opening"]["blob"]
    assert len(blob) == opening_length(PROFILE, chosen, 1)
    assert verify_batch(WAVE, PROFILE, [Claim(DEVICE, proof.root, 1, chosen, blob)]) == [Code.PASS]


def test_two_processors() -> None:
    proof = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 2)
    expected = GOLDEN["two_processors"]
    assert [each.levels[-1].hex() for each in proof.parts] == expected["roots"]
    assert proof.root.hex() == expected["device_root"]
    chosen = seeds.picks(OPEN, DEVICE, proof.root, PROFILE, 2)
    assert [list(each) for each in chosen] == expected["picks_proc_row_segment"]
    assert sha256(proof.open(chosen)).hexdigest() == expected["blob_sha256"]


def test_what_is_refused() -> None:
    chosen = [Pick(*each) for each in GOLDEN["opening"]["picks_proc_row_segment"]]
    root = bytes.fromhex(GOLDEN["commit"]["device_root"])
    blob = bytes.fromhex(GOLDEN["opening"]["blob"])
    flipped = blob[:36] + bytes([blob[36] ^ 1]) + blob[37:]
    wrong = GOLDEN["negative"]["WORK_WRONG"]
    for given, over, code in (
        (flipped, root, Code.OPEN_PATH),
        (blob + b"\0", root, Code.OPEN_MALFORMED),
        (bytes.fromhex(wrong["blob"]), bytes.fromhex(wrong["device_root"]), Code.WORK_WRONG),
        (bytes.fromhex(wrong["blob"]), root, Code.OPEN_ROOT),
    ):
        assert verify_batch(WAVE, PROFILE, [Claim(DEVICE, over, 1, chosen, given)]) == [code]


def test_residency() -> None:
    given = GOLDEN["residency"]
    blockhash = bytes.fromhex(given["epoch_blockhash"])
    epoch = seeds.epoch_seed(raw("genesis"), Pubkey(raw("program")), given["epoch_slot"], blockhash)
    assert epoch.hex() == given["epoch_seed"]
    sizes = given["m"], given["K"], given["K"], given["rounds"], given["R"]
    plot = residency.fill(NumpyBackend(), epoch, DEVICE, Residency(*sizes, q=2, T_ms=8000), 1)
    rows = np.concatenate(plot.panels[0])
    assert (rows[0, :16].tobytes().hex(), hashed(rows)) == (given["plot_row0_first16"], given["plot_sha256"])
    proof = residency.reside(plot, WAVE)
    roots = [each.levels[-1] for each in proof.parts[0]]
    assert [each.hex() for each in roots] == given["roots"]
    assert seeds.plot_root(roots).hex() == given["vroot"]


# -- the second reading --------------------------------------------------------------------------


def test_the_second_reading_gives_its_vectors_again() -> None:
    assert independent.vectors() == OWN


def given(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case with its bytes, and what comes of it."""
    case, found = OWN[name]["given"], OWN[name]["found"]
    return {key: bytes.fromhex(each) if isinstance(each, str) else each for key, each in case.items()}, found


@pytest.mark.parametrize("kept", [1 << 30, 0])
def test_several_processors_and_segments(kept: int) -> None:
    case, found = given("product")
    device, procs = Pubkey(case["device"]), case["procs"]
    profile = Profile(*(case[name] for name in ("id", "m", "n", "K", "q")), T_ms=8000)
    proof = prove(NumpyBackend(), case["wave"], device, profile, procs, kept)
    chosen = seeds.picks(case["open"], device, proof.root, profile, procs)
    blob = proof.open(chosen)
    assert (proof.root.hex(), [list(each) for each in chosen]) == (found["root"], found["picks"])
    assert blob.hex() == found["blob"]
    claim = Claim(device, proof.root, procs, chosen, blob)
    assert verify_batch(case["wave"], profile, [claim, claim]) == [Code.PASS, Code.PASS]


def test_several_passes() -> None:
    case, found = given("residency")
    device, procs = Pubkey(case["device"]), case["procs"]
    sizes = (case[name] for name in ("m", "K", "K", "rounds", "passes", "q"))
    profile = Residency(*sizes, T_ms=8000)
    proof = residency.reside(
        residency.fill(NumpyBackend(), case["epoch"], device, profile, procs), case["wave"]
    )
    assert [[each.levels[-1].hex() for each in part] for part in proof.parts] == found["roots"]
    chosen = seeds.plot_picks(case["open"], device, proof.root, profile, procs)
    blob = proof.open(chosen)
    assert (proof.root.hex(), [list(each) for each in chosen]) == (found["root"], found["picks"])
    assert blob.hex() == found["blob"]
    claim = residency.plot_claim(case["open"], profile, device, proof.root, procs, blob)
    assert residency.verify_plots(case["wave"], case["epoch"], profile, [claim]) == [Code.PASS]


@pytest.mark.parametrize("name", ["picks_small", "picks_large"])
def test_picks_at_the_ranges_ends(name: str) -> None:
    case, found = given(name)
    profile = Profile(0, case["m"], case["n"], 1024, case["q"], T_ms=8000)
    device, procs = Pubkey(case["device"]), case["procs"]
    chosen = seeds.picks(case["open"], device, case["root"], profile, procs)
    assert [list(each) for each in chosen] == found["picks"]
    assert len(chosen) == case["q"] + 8 * 7
    for part, bound in zip(zip(*chosen, strict=True), (procs, profile.m, profile.segments), strict=True):
        assert min(part) >= 0 and max(part) < bound
        assert bound > len(chosen) or set(part) == set(range(bound))


def test_the_ends_of_a_tree_open() -> None:
    """The first and the last row and segment of a small product, each alone and together."""
    profile = Profile(0, 16, 512, 1024, 24, T_ms=8000)
    proof = prove(NumpyBackend(), WAVE, DEVICE, profile, 2)
    ends = [Pick(p, row, segment) for p in (0, 1) for row in (0, 15) for segment in (0, 1)]
    for chosen in ([each] for each in ends):
        blob = make_opening(proof.parts, chosen)
        assert verify_batch(WAVE, profile, [Claim(DEVICE, proof.root, 2, chosen, blob)]) == [Code.PASS]
    blob = make_opening(proof.parts, ends)
    assert verify_batch(WAVE, profile, [Claim(DEVICE, proof.root, 2, ends, blob)]) == [Code.PASS]
