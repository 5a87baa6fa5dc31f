"""A few inputs of each target that are right, or nearly: what fuzzing begins from."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from solders.pubkey import Pubkey

from keeper.api.paging import encode as encode_cursor
from keeper.audit.bundle.answers import METHODS
from keeper.audit.bundle.pack import MANIFEST, About
from keeper.audit.bundle.pack import write as write_bundle
from keeper.clients.programs import PROGRAMS
from keeper.compute.knocks import knock
from keeper.compute.relay import NO_LINK, bind
from keeper.compute.wire import Equivocation
from keeper.economy.classes import CLASS_TABLE
from keeper.market import files as market_files
from keeper.market.folder import encode_steps
from keeper.market.steps import StepTable
from keeper.pow.clock import WaveKind
from keeper.pow.files import EVIDENCE, TRANSFERS, Evidence, Transfers, wave_rows, write_pings, write_wave
from keeper.pow.messages import Commit, Pong
from keeper.rewards.offences import Act, Kind, Offence
from keeper.rewards.rows import Hour
from keeper.tables import encode
from tests.fuzz.targets import HERE, LINKS, MEMBERS, OPERATOR, PUBLISHED, READERS, SLOTS, TABLES
from tests.keeper.compute import test_liveness
from tests.keeper.compute.messages import BODIES, MS, NETWORK, ORDER, signed
from tests.keeper.market.test_files import OPERATOR as MATCHER
from tests.keeper.market.test_files import plain
from tests.keeper.market.test_offers import BOTH, device, offered
from tests.keeper.market.test_offers import NOW as OFFERED_AT
from tests.keeper.rewards.seen import publish_rows
from tests.model.schedule import emitted
from tests.programs.world import START, START_MONTH
from tests.soak.year import Year

KEY, HASH = str(HERE), str(Pubkey(b"\x09" * 32))
SEED = b"\x0a" * 32
ANSWERS: dict[str, Any] = {
    "genesis_hash": HASH,
    "version": {"solana-core": "2.1.0"},
    "slot": 12,
    "clock": {"context": {"slot": 3}, "value": None},
    "accounts": {
        "context": {"slot": 3},
        "value": [
            None,
            {
                "lamports": 5,
                "owner": KEY,
                "data": ["AQI=", "base64"],
                "executable": False,
                "rentEpoch": 0,
                "space": 2,
            },
        ],
    },
    "program_accounts": {"context": {"slot": 9}, "value": []},
    "signatures": [
        {
            "signature": "1" * 64,
            "slot": 4,
            "err": None,
            "memo": None,
            "blockTime": 7,
            "confirmationStatus": "finalized",
        }
    ],
    "block": {"signatures": [], "blockTime": 5},
    "first_block": [8],
    "head": {"blockhash": HASH, "parentSlot": 5, "blockTime": 9, "previousBlockhash": HASH},
    "blockhash": {"context": {"slot": 3}, "value": {"blockhash": HASH, "lastValidBlockHeight": 9}},
    "tip": {"absoluteSlot": 5, "blockHeight": 4},
    "taken": "1" * 64,
    "statuses": {
        "context": {"slot": 9},
        "value": [
            None,
            {
                "slot": 3,
                "err": {"InstructionError": [0, {"Custom": 6}]},
                "confirmationStatus": "finalized",
                "confirmations": None,
            },
        ],
    },
    "recent_fees": [{"slot": 3, "prioritizationFee": 7}],
    "simulated": {
        "context": {"slot": 3},
        "value": {"err": None, "logs": [], "unitsConsumed": 7, "accounts": None},
    },
    "landed": None,
    "signed": None,
}


def _chain() -> Iterator[tuple[str, bytes]]:
    for program in PROGRAMS.values():
        for kind in program.account_fields:
            yield "codec", program.discriminator(kind) + bytes(program.dtype(kind).itemsize - 8)
        for name in list(program.instructions)[:6]:
            accounts = program._instructions[name]
            yield "codec", accounts.discriminator + bytes(48)
        for each in list(program._events)[:4]:
            yield "codec", each + bytes(80)
        name = f"Program {program.address}"
        yield "log_lines", f"{name} invoke [1]\nProgram data: AAAA\n{name} success".encode()
    yield "tokens", bytes(165)
    yield "tokens", bytes(82)
    for number, name in enumerate(READERS):
        yield "answer", bytes([number]) + json.dumps(ANSWERS[name]).encode()


def _work() -> Iterator[tuple[str, bytes]]:
    worker = MEMBERS[0]
    devices = [Pubkey(bytes([number]) * 32) for number in (1, 2)]
    commits = [
        Commit(SEED, device, WaveKind.PRODUCT, 2, 3, 5, bytes([root]) * 32).sign(worker)
        for device, root in ((devices[0], 7), (devices[0], 8), (devices[1], 7))
    ]
    yield "pow_message", b"\0" + commits[0].encode()
    yield "pow_message", b"\2" + Pong(SEED, devices[0]).sign(worker).encode()
    yield "opening", SEED + bytes(devices[0]) + SEED + b"blob"
    yield "wave", write_wave(wave_rows([(each, 9) for each in commits]))
    asked = np.array([bytes(each) for each in devices], "S32")
    yield "pings", write_pings(asked, SLOTS, np.ones((3, 2), bool))
    yield "evidence", Evidence(bytes(32), bytes(32), np.zeros(0, EVIDENCE)).write()
    yield "transfers", Transfers(1_000, np.zeros(0, TRANSFERS)).write()
    acts = Act(5, commits[0], b""), Act(5, commits[1], b"")
    yield "offence", Offence(Kind.CONFLICT, worker.pubkey(), acts).encode()


def _published() -> Iterator[tuple[str, bytes]]:
    year = Year(1, 6)
    for number in range(7):
        year.hour(number)
    with tempfile.TemporaryDirectory() as folder:
        publish_rows(Path(folder), Hour(0, START, emitted(START_MONTH, 1)), year.rows, year.classes)
        for path in sorted(Path(folder).rglob("*.*")):
            data = path.read_bytes()
            if path.name in PUBLISHED:
                yield "published", bytes([PUBLISHED.index(path.name)]) + data
            elif path.name == "manifest.json":
                yield "hour_manifest", data
            elif path.name == "pow.json":
                yield "record", data
    for number, dtype in enumerate(TABLES):
        yield "table", bytes([number]) + b"".join(encode(np.zeros(1, dtype)))
    table = json.loads(CLASS_TABLE.read_bytes())
    two = [{**each, "priced_like": table["classes"][0]["name"]} for each in table["classes"][:2]]
    yield "class_table", json.dumps({**table, "classes": two}).encode()
    yield "steps", encode_steps(StepTable(7, {1: (10, -5), 2: (0, 0)}))
    found = market_files.write(plain(), MATCHER)
    yield "tick_manifest", found[market_files.NAME]
    names = (market_files.NAME, *market_files.KINDS)
    yield "tick", b"".join(struct.pack("<I", len(found[name])) + found[name] for name in names)


def _bundles() -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write_bundle(path, About("chain", HASH, None, 3, {"rewards/0": "out"}), {"rewards/0/a.csv": b"a,b\n"})
        yield "bundle", path.read_bytes()
    # What an archive says of itself may be anything.
    for told in (b"{}", b'{"format":1,"files":{"a":{"bytes":1e999,"sha256":""}}}'):
        data = io.BytesIO()
        with (
            gzip.GzipFile("", "wb", 6, data, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(told)
            tar.addfile(info, io.BytesIO(told))
        yield "bundle", data.getvalue()
    for name in sorted(METHODS)[:4]:
        yield "replayed", json.dumps([[name, [], {}], {"is": "Clock", "of": [1, 2]}]).encode()
    yield "replayed", b'[["slot",[],{}],7]\n[["genesis_hash",[],{}],"a"]'


def _clusters() -> Iterator[tuple[str, bytes]]:
    for number, body in enumerate(BODIES):
        yield "body", bytes([number]) + body.encode()
        yield "message", signed(body).encode()
    one, other = signed(BODIES[0], seq=3), signed(BODIES[0], seq=3, ms=MS + 1)
    proof = Equivocation.of(one, other)
    assert proof is not None
    yield "equivocation", proof.encode()
    yield "observation", test_liveness.seen(1, last_beat=test_liveness.NOON).encode()
    yield "knock", knock(NETWORK, HERE, MS, OPERATOR)
    yield "asks", bind(NETWORK, ORDER, NO_LINK, MS, MEMBERS[0])
    binds = [bind(NETWORK, ORDER, link, MS, member) for link, member in zip(LINKS, MEMBERS, strict=True)]
    datagrams = [b"\0" + bytes([at]) + each for at, each in enumerate(binds)]
    yield "relay", b"".join(datagrams) + bytes([10, 0]) + LINKS[0] + b"\x04" * (20 - len(LINKS[0]))
    frames = (b"J", b'{"files":1,"bytes":3}'), (b"J", b'{"path":"job/a","size":3,"executable":false}')
    end = (b"D", b"abc"), (b"E", b"")
    yield "get", b"".join(struct.pack(">cI", kind, len(data)) + data for kind, data in (*frames, *end))
    yield "get", struct.pack(">cI", b"X", 2) + b"no"


def _typed() -> Iterator[tuple[str, bytes]]:
    yield "cursor", encode_cursor((5, "a")).encode()
    yield "amount", b"1,234.5"
    yield "price", b'{"io": {"usd": 0.25, "at": 1800000000}}'
    yield "price", b'{"io": {"usd": 1, "at": 1e9999999}}'
    yield "quote", offered(BOTH, OFFERED_AT, device("one")).encode().encode()


def seeds() -> dict[str, list[bytes]]:
    """By the target's name."""
    found: dict[str, list[bytes]] = {}
    for part in (_chain, _work, _published, _bundles, _clusters, _typed):
        for name, data in part():
            found.setdefault(name, []).append(data)
    return found
