"""Solana Actions: what a wallet is told has the specification's form, and what it signs does what it says."""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.api.index import Index
from keeper.api.limits import Limits
from keeper.api.service import application, guarded
from keeper.budgets import Rate
from keeper.clients import staking, tokenomics
from keeper.db import DatabaseUnusable
from keeper.db.visitors import Visitors
from keeper.economy.supply import IO
from keeper.rewards import publication
from keeper.rewards.wallet_index import NAME
from keeper.web.app import install
from tests.keeper.api.life import Life, index
from tests.programs.world import key

SITE = "https://site.example"
SUPPLIER, CO_STAKER = key("supplier a"), key("renter")


@dataclass
class Actions:
    """A site with actions, and the network that it is of, on which what is signed lands."""

    http: httpx2.AsyncClient
    world: Life

    def held(self, who: Keypair) -> int:
        """A wallet's IO, base units."""
        return self.world.tokens(tokenomics.tokens_address(who.pubkey()))

    async def described(self, path: str) -> dict[str, Any]:
        """An action's description, which has the specification's form."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["type"] == "action" and found["icon"] == f"{SITE}/actions/icon.svg"
        assert all(isinstance(found[name], str) and found[name] for name in ("title", "description", "label"))
        for each in found["links"]["actions"]:
            assert each["type"] == "transaction" and each["label"] and each["href"].startswith("/actions/")
            for parameter in each.get("parameters", []):
                assert f"{{{parameter['name']}}}" in each["href"]
        return found

    async def signed(self, path: str, who: Keypair) -> str:
        """Have an action's transaction made, signed as a wallet does it, and landed; its message."""
        answer = await self.http.post(path, json={"account": str(who.pubkey())})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert set(body) == {"type", "transaction", "message"} and body["type"] == "transaction"
        made = VersionedTransaction.from_bytes(b64decode(body["transaction"]))
        message = made.message
        assert isinstance(message, MessageV0)
        # Nobody has signed it: by the specification the wallet sets the blockhash then.
        assert made.signatures == [Signature.default()] and message.recent_blockhash == Hash.default()
        assert message.account_keys[0] == who.pubkey()
        chain = self.world.chain
        recent = (await chain.blockhash()).hash
        parts = message.header, message.account_keys, recent, message.instructions
        signed = VersionedTransaction(MessageV0(*parts, message.address_table_lookups), [who])
        await chain.broadcast(signed)
        (record,) = await chain.records([signed.signatures[0]])
        assert record is not None and record.error is None, record
        return str(body["message"])


@pytest.fixture
async def actions(tmp_path: Path) -> AsyncIterator[Actions]:
    world = Life.lived(tmp_path / "rewards")
    device = world.read_device("b2")
    world.do(staking.open_offer(device, 300 * IO, 1_250), signers=[key("supplier b")])
    await index(world, f"sqlite:///{tmp_path / 'index.db'}")
    database = Visitors(f"sqlite:///{shutil.copy(tmp_path / 'index.db', tmp_path / 'read.db')}")
    app = application(database, rewards=world.folder, actions=SITE)
    install(app)
    # What takes long here costs nobody anything.
    limits = Limits(actions=Rate(40, 1), free_seconds=3600)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(guarded(app, limits)), base_url=SITE
    ) as http:
        yield Actions(http, world)
    await database.close()


async def test_a_claim_a_stake_and_a_co_stake_are_signed_and_land(actions: Actions) -> None:
    owner = key("supplier b")
    earned = publication.claimable(actions.world.folder, 1, owner.pubkey()).lifetime
    people = owner, SUPPLIER, CO_STAKER
    own, before = actions.world.read_device("a3").own, [actions.held(each) for each in people]
    found = await actions.described("/actions/claim")
    (action,) = found["links"]["actions"]
    message = await actions.signed(action["href"], owner)
    assert message.startswith(f"{earned / IO:,.8f} IO from the reward vault")

    device = staking.device_address(key("a3").pubkey())
    found = await actions.described(f"/actions/stake/{key('a3').pubkey()}")
    (action,) = found["links"]["actions"]
    assert action["parameters"][0]["name"] == "amount" and str(device) in action["href"]
    await actions.signed(action["href"].replace("{amount}", "1250.5"), SUPPLIER)

    found = await actions.described(f"/actions/costake/{staking.device_address(key('b2').pubkey())}")
    (action,) = found["links"]["actions"]
    assert action["label"] == "Co-stake 300.00000000 IO for 12.5 % of rewards"
    await actions.signed(action["href"], CO_STAKER)

    assert actions.world.read_device("a3").own == own + 125_050_000_000
    co = actions.world.read_device("b2").co
    assert (co.staker, co.amount, co.reward_bps) == (CO_STAKER.pubkey(), 300 * IO, 1_250)
    now = [actions.held(each) for each in people]
    assert now == [before[0] + earned, before[1] - 125_050_000_000, before[2] - 300 * IO]


async def test_what_the_program_would_refuse_is_said(actions: Actions) -> None:
    device = staking.device_address(key("a3").pubkey())
    offered = staking.device_address(key("b2").pubkey())
    for path, who, status, words in (
        ("/actions/claim", SUPPLIER, 422, "has earned by emission hour 1 are paid"),
        (f"/actions/stake/{device}?amount=10", CO_STAKER, 422, "who alone can stake on it"),
        (f"/actions/stake/{device}?amount=1,5", SUPPLIER, 422, "is not an amount of IO"),
        (f"/actions/stake/{device}?amount=0", SUPPLIER, 422, "name an amount of IO above 0"),
        (f"/actions/stake/{device}", SUPPLIER, 400, "amount"),
        (f"/actions/costake/{device}", CO_STAKER, 422, "nobody is looked for as its co-staker"),
        (f"/actions/costake/{offered}", key("supplier b"), 422, "somebody else than the device's supplier"),
        ("/actions/costake/nothing", CO_STAKER, 404, "No device has this address"),
    ):
        answer = await actions.http.post(path, json={"account": str(who.pubkey())})
        assert answer.status_code == status, (path, answer.text)
        assert words.lower() in answer.json()["message"].lower(), path
        assert answer.headers["access-control-allow-origin"] == "*"
    for body in ({"account": "abc"}, {}, {"account": 5}):
        answer = await actions.http.post("/actions/claim", json=body)
        assert answer.status_code == 400 and answer.json()["message"]
    assert (await actions.http.post("/actions/claim", content=b"{")).status_code == 400
    assert (await actions.http.get(f"/actions/costake/{device}")).status_code == 422


async def test_an_hour_whose_wallets_arent_indexed_yet_is_asked_for_again(actions: Actions) -> None:
    """A claim by a link, and the proof that a page asks for."""
    file = actions.world.folder / "1" / NAME
    file.rename(file.with_suffix(".away"))
    try:
        asked = {"account": str(SUPPLIER.pubkey())}
        claim = await actions.http.post("/actions/claim", json=asked)
        proof = await actions.http.get(f"/api/v1/blocks/1/proof/{SUPPLIER.pubkey()}")
    finally:
        file.with_suffix(".away").rename(file)
    for answer in (claim, proof):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60"), answer.text
    said = "our 1 isn't ready for proofs yet: try again in a minute"
    assert claim.json() == {"message": f"H{said}."} and claim.headers["x-action-version"]
    assert proof.json()["detail"] == f"h{said}"


async def test_pages_of_any_origin_may_ask(actions: Actions) -> None:
    found = (await actions.http.get("/actions.json")).json()
    assert {"pathPattern": "/actions/**", "apiPath": "/actions/**"} in found["rules"]
    assert all(set(each) == {"pathPattern", "apiPath"} for each in found["rules"])
    asks = {"origin": "https://wallet.example", "access-control-request-method": "POST"}
    for path in ("/actions.json", "/actions/claim"):
        for answer in (
            await actions.http.options(path, headers=asks),
            await actions.http.get(path, headers={"origin": "https://wallet.example"}),
        ):
            assert answer.status_code in (200, 204)
            assert answer.headers.get_list("access-control-allow-origin") == ["*"]
            assert "POST" in answer.headers["access-control-allow-methods"]
            assert "Content-Type" in answer.headers["access-control-allow-headers"]
            assert answer.headers["x-action-version"] == "2.4"
            assert answer.headers["x-blockchain-ids"].startswith("solana:")
    icon = await actions.http.get("/actions/icon.svg")
    assert icon.headers["content-type"].startswith("image/svg+xml")
    # Nothing but actions takes more than GET.
    assert (await actions.http.post("/api/v1/network")).is_client_error
    while (answer := await actions.http.get("/actions/icon.svg")).status_code != 429:
        assert answer.status_code == 200
    assert answer.json()["message"].startswith("Too many questions from this address")
    assert answer.headers["access-control-allow-origin"] == "*" and int(answer.headers["retry-after"]) > 0


async def test_an_index_that_cant_be_read_is_said_without_its_place(
    actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also once the network's name is known; what the database says names files and servers."""
    device = staking.device_address(key("a3").pubkey())
    assert (await actions.http.get(f"/actions/stake/{device}")).status_code == 200

    async def unusable(*_: object) -> None:
        raise DatabaseUnusable("/srv/index.db doesn't answer")

    monkeypatch.setattr(Index, "account", unusable)
    answer = await actions.http.get(f"/actions/stake/{device}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"message": "The index can't be read now: try again in a moment."}
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_without_a_public_url_there_are_none(life: tuple[Life, Path], tmp_path: Path) -> None:
    database = Visitors(f"sqlite:///{shutil.copy(life[1], tmp_path / 'index.db')}")
    app = application(database, rewards=life[0].folder)
    install(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guarded(app)), base_url=SITE) as http:
        for path in ("/actions.json", "/actions/claim"):
            assert (await http.get(path)).status_code == 404
    await database.close()
