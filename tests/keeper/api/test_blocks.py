"""Hours, what was said of them, what devices and wallets got: the files' own figures."""

from hashlib import sha256
from typing import get_args

from keeper.api.routes.blocks import ReasonName
from keeper.clients import staking
from keeper.rewards import publication
from keeper.rewards.publication import read_manifest, read_table
from keeper.rewards.rule import Reason
from keeper.wallet import claims
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.world import HOUR, START, key


async def test_final_hours_are_the_manifests(api: Client, world: Life) -> None:
    rows = await api.data("/blocks")
    assert [row["hour"] for row in rows] == [1, 0]
    for row in rows:
        manifest = read_manifest(world.folder, row["hour"])
        assert (row["root"], row["data_hash"]) == (manifest.root, manifest.hash)
        for name in ("total", "pot", "paid", "carried"):
            assert row[name] == str(getattr(manifest, name)), name
        for name in ("devices", "succeeded", "failed", "missed", "rule"):
            assert row[name] == getattr(manifest, name), name
        assert row["starts_at"] == START + row["hour"] * HOUR
        assert row == await api.data(f"/blocks/{row['hour']}")
    assert await api.data("/blocks/open") == []
    missing = await api.ask("/blocks/2")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "hour 2 isn't final: /blocks has those that are",
    )


async def test_attestations_are_the_chains(api: Client, world: Life) -> None:
    rows = await api.data("/blocks/1/attestations")
    manifest = read_manifest(world.folder, 1)
    assert [row["operator"] for row in rows] == [str(each.pubkey()) for each in world.operators[:2]]
    assert [row["agreed"] for row in rows] == [False, True]
    assert {(row["root"], row["data_hash"], row["conflict"]) for row in rows} == {
        (manifest.root, manifest.hash, False)
    }
    assert await api.data("/blocks/7/attestations") == []


async def test_what_devices_got(api: Client, world: Life) -> None:
    rows = await api.data("/blocks/0/devices", order="asc")
    table = read_table(world.folder, read_manifest(world.folder, 0), "rewards.csv")
    assert [int(row["reward"]) for row in rows] == table["reward"].tolist()
    assert [row["status"] for row in rows] == ["failed", *["succeeded"] * 4]
    assert [row["reasons"] for row in rows] == [["work_failed"], [], [], [], []]
    assert sum(int(row["reward"]) for row in rows) == read_manifest(world.folder, 0).paid > 0
    assert (await api.ask("/blocks/7/devices")).status_code == 404


async def test_a_wallet_and_its_proof(api: Client, world: Life) -> None:
    owner = key("supplier a").pubkey()
    found = await api.data(f"/wallets/{owner}")
    claim = publication.claimable(world.folder, 1, owner)
    devices = [world.read_device(name) for name in ("a1", "a2", "a3")]
    assert (found["devices"], int(found["staked"])) == (3, sum(each.own for each in devices))
    assert int(found["earned"]) == claim.lifetime > 0
    wallet = staking.parse_wallet(world.account(staking.wallet_address(owner)).data)
    assert int(found["claimed"]) == wallet.claimed > 0
    assert int(found["due"]) == claim.lifetime - wallet.claimed
    assert found["earned_hour"] == 1
    proof = await api.data(f"/blocks/1/proof/{owner}")
    assert (proof["root"], proof["lifetime"]) == (claim.root.hex(), str(claim.lifetime))
    assert bytes.fromhex("".join(proof["proof"])) == claim.proof


async def test_what_a_wallet_can_claim_now_is_what_the_program_pays(api: Client, world: Life) -> None:
    """By all limits: as the plan has it, which `tests/keeper/wallet` holds to the program."""
    paid_all = key("supplier a").pubkey()
    assert (await api.data(f"/wallets/{paid_all}"))["claims"] is None
    owner = key("supplier b").pubkey()
    found = await api.data(f"/wallets/{owner}")
    claim = publication.claimable(world.folder, 1, owner)
    config, now = world.staking_config(), world.chain.now()
    wallet = staking.parse_wallet(world.account(staking.wallet_address(owner)).data)
    block = staking.parse_block(world.account(staking.block_address(1)).data)
    for name, caller in (("by_anybody", paid_all), ("by_wallet", owner)):
        plan = claims.claim(config, wallet, block, claim, caller, now)
        assert int(found["claims"][name]) == plan.movements[0].amount > 0
    assert int(found["claims"]["hour_limit"]) == config.params.claim_limit
    assert int(found["claims"]["hour_left"]) == config.claim_left(now)
    waits = int(found["due"]) - int(found["claims"]["held_by_share"]) - int(found["claims"]["by_wallet"])
    assert (found["claims"]["next_from"] is None) is (waits == 0)


async def test_wallets_that_have_little(api: Client) -> None:
    renter = await api.data(f"/wallets/{key('renter').pubkey()}")
    assert (renter["orders"], renter["devices"], renter["staked"], renter["earned"]) == (4, 0, "0", "0")
    nobody = await api.data(f"/wallets/{key('nobody').pubkey()}")
    assert (nobody["orders"], nobody["claimed"], nobody["due"]) == (0, "0", "0")
    assert (await api.ask("/wallets/abc")).status_code == 400
    missing = await api.ask(f"/blocks/1/proof/{key('nobody').pubkey()}")
    assert (missing.status_code, missing.json()["detail"][-33:]) == (
        404,
        "earned nothing by emission hour 1",
    )
    assert (await api.ask(f"/blocks/9/proof/{key('renter').pubkey()}")).status_code == 404


async def test_files_are_served_by_their_hash(api: Client, world: Life) -> None:
    found = await api.data("/blocks/1/files")
    assert found[0]["name"] == publication.MANIFEST
    assert {each["name"] for each in found} == {publication.MANIFEST, *publication.FILES}
    assert found[0]["sha256"] == read_manifest(world.folder, 1).hash
    for each in found:
        data = (await api.http.get(each["path"])).content
        assert (sha256(data).hexdigest(), str(len(data))) == (each["sha256"], each["bytes"])
        assert each["name"].endswith(".json") or str(data.count(b"\n") - 1) == each["rows"]
    path = found[-1]["path"].partition("?")[0]
    other = await api.http.get(path, params={"sha256": found[0]["sha256"]})
    assert other.status_code == 404
    assert other.json()["detail"] == (
        f"1/{found[-1]['name']} is another one here: its SHA-256 is {found[-1]['sha256']}"
    )
    assert (await api.http.get(path, params={"sha256": "ab"})).status_code == 400
    elsewhere = await api.http.get("/rewards/7/wallets.csv", params={"sha256": found[0]["sha256"]})
    assert (elsewhere.status_code, elsewhere.json()["detail"]) == (404, "7/wallets.csv isn't published here")
    assert (await api.ask("/blocks/7/files")).status_code == 404


async def test_hours_between_two(api: Client) -> None:
    for asked, hours in (
        ({"from": 1}, [1]),
        ({"to": 0}, [0]),
        ({"from": 0, "to": 1}, [1, 0]),
        ({"from": 0, "order": "asc"}, [0, 1]),
        # No bound by an hour that isn't final, but by its number.
        ({"to": 9}, [1, 0]),
        ({"from": 2}, []),
        ({"from": 1, "to": 0}, []),
    ):
        assert [row["hour"] for row in await api.data("/blocks", **asked)] == hours, asked
    (row,) = await api.data("/blocks", to=1, limit=1)
    next_ = (await api.ask("/blocks", to=1, limit=1)).json()["next"]
    assert [each["hour"] for each in await api.data("/blocks", to=1, limit=1, after=next_)] == [0]
    assert row["hour"] == 1


async def test_devices_of_an_hour_by_how_they_stand(api: Client) -> None:
    assert get_args(ReasonName) == tuple(str(each.name).lower() for each in Reason)
    rows = await api.data("/blocks/0/devices", order="asc")
    failed, *paid = [row["device"] for row in rows]
    for asked, found in (
        ({"status": "failed"}, [failed]),
        ({"status": "succeeded"}, paid),
        ({"status": "missed"}, []),
        ({"reason": "work_failed"}, [failed]),
        ({"reason": "barred"}, []),
        ({"device": failed}, [failed]),
        ({"device": failed, "status": "succeeded"}, []),
    ):
        answered = await api.data("/blocks/0/devices", order="asc", **asked)
        assert [row["device"] for row in answered] == found, asked
    # Where the hour has none at all it is said, whatever of them is asked for.
    assert (await api.ask("/blocks/7/devices", status="failed")).status_code == 404
    wrong = await api.ask("/blocks/0/devices", reason="bored")
    assert wrong.status_code == 400 and "work_missing" in wrong.json()["detail"]
