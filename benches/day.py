"""Hours of a network checked offline: every hash, signature, merge, verdict and reward, and some openings.

``python benches/day.py`` makes folders of hours with the keeper's own code - devices prove and sign, three
operators seal files, an hour is merged and published - then holds each to what was posted of it, a process a
size, as ``ionet audit`` does with the parts ``pow`` and ``hours``. It renews the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import pickle
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from idl_codec import table, write_section
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from benches.reward_block import devices as accounts_of  # noqa: E402
from keeper.audit import hour as of_hour  # noqa: E402
from keeper.audit.beside import beside  # noqa: E402
from keeper.audit.openings import Openings  # noqa: E402
from keeper.audit.pow import Files  # noqa: E402
from keeper.audit.published import digests, read  # noqa: E402
from keeper.chain.program import Fields  # noqa: E402
from keeper.chain.records import Head  # noqa: E402
from keeper.clients import staking  # noqa: E402
from keeper.pow import files  # noqa: E402
from keeper.pow.anchored import Posting, PostKind  # noqa: E402
from keeper.pow.backend import NumpyBackend  # noqa: E402
from keeper.pow.clock import OPEN_AFTER, HourPlan, Network, Ping, Wave, WaveKind  # noqa: E402
from keeper.pow.files import KEY  # noqa: E402
from keeper.pow.hashing import digest  # noqa: E402
from keeper.pow.messages import Commit  # noqa: E402
from keeper.pow.profiles import Profiles, read_profiles  # noqa: E402
from keeper.pow.prove import prove  # noqa: E402
from keeper.pow.seeds import picks  # noqa: E402
from keeper.rewards.held import OPENINGS, HeldFiles  # noqa: E402
from keeper.rewards.history import HourHistory  # noqa: E402
from keeper.rewards.merge import merge  # noqa: E402
from keeper.rewards.observed import observations  # noqa: E402
from keeper.rewards.publishing import publish  # noqa: E402
from keeper.rewards.rows import CLASS, Hour, class_rows, field_rows  # noqa: E402
from keeper.rewards.work import hour_of  # noqa: E402
from keeper.tables import Rows  # noqa: E402

SECTION = "day.py"
SIZES = ((1_000, 4), (1_000, 12), (10_000, 2))
"""Devices and hours."""
COMPARED = ((1_000, 4), (10_000, 2))
"""Of these all openings are verified, too."""
SHARE = 0.005
"""Of openings."""
START, SECONDS = 1_719_792_000, 3_600
SLOTS, FIRST_SLOT, PINGS = 9_000, 1_000, 6
OPERATORS, THRESHOLD = 3, 2
EMITTED = 448_028_673_835
"""An hour's, base units."""
CLASS_ID = 1
PROFILE = {"id": 0, "m": 64, "n": 512, "K": 1024, "q": 24, "T_ms": 8_000, "measured": True}
"""A product of milliseconds, of which as many rows are picked as of a real one."""


@dataclass(frozen=True)
class World:
    """So many devices of one class, the same every time, and three operators."""

    count: int

    @cached_property
    def workers(self) -> dict[Pubkey, Keypair]:
        """The devices' keys by the devices' accounts, sorted."""
        made = [
            Keypair.from_seed(digest("bench", b"worker", n.to_bytes(4, "little"))) for n in range(self.count)
        ]
        found = {staking.device_address(each.pubkey()): each for each in made}
        return dict(sorted(found.items(), key=lambda item: bytes(item[0])))

    @cached_property
    def devices(self) -> dict[Pubkey, Fields]:
        """What the chain says of each device, the same from hour to hour."""
        rng = np.random.default_rng(self.count)
        people = np.frombuffer(rng.bytes(32 * max(1, self.count // 4)), "V32")
        rows = accounts_of(self.count, rng, np.array([(CLASS_ID, 125, 0)], CLASS), people)
        rows["worker"] = [np.void(bytes(each.pubkey())) for each in self.workers.values()]
        rows["processors"] = 1
        return {
            address: staking.PROGRAM.decode_account(row.tobytes())[1]
            for address, row in zip(self.workers, rows, strict=True)
        }

    @cached_property
    def classes(self) -> dict[int, staking.Class]:
        """The one class."""
        row = np.zeros((), staking.PROGRAM.dtype("Class"))
        row["discriminator"] = np.void(staking.PROGRAM.discriminator("Class"))
        row["version"] = staking.PROGRAM.constants["ACCOUNT_VERSION"]
        row["id"], row["multiplier"] = CLASS_ID, 125
        return {CLASS_ID: staking.parse_class(row.tobytes())}

    @property
    def operators(self) -> list[Pubkey]:
        """Their addresses."""
        return [Pubkey(digest("bench", b"operator", bytes([each]))) for each in range(OPERATORS)]

    @property
    def network(self) -> Network:
        """Whose waves."""
        return Network(bytes(range(32)), staking.PROGRAM.address, START)

    def wave(self, number: int) -> Wave:
        """An hour's."""
        slot, blockhash = SLOTS * number + FIRST_SLOT, digest("bench", b"block", bytes([number]))
        seed = self.network.wave_seed(slot, blockhash)
        return Wave(number, slot, blockhash, START + SECONDS * number + 400, seed, WaveKind.PRODUCT, False)

    def opening(self, wave: Wave) -> Head:
        """The block that its picks are drawn from."""
        return Head(wave.open_from, digest("bench", b"opening", wave.seed), wave.time + 60)

    def history(self, postings: Sequence[Posting]) -> HourHistory:
        """An hour of the chain in which nothing was hired."""
        return HourHistory(
            self.devices, self.classes, set(), self.devices, postings, THRESHOLD, terms={}, events=[]
        )

    def plan(self, number: int) -> HourPlan:
        """One wave, and some pings."""
        start = START + SECONDS * number
        wave = self.wave(number)
        pings = (Ping(number, wave.slot + 500 * at, start + 200 * at, b"") for at in range(1, PINGS + 1))
        return HourPlan(number, (wave,), tuple(pings))


def profiles_in(folder: Path) -> Profiles:
    """The one profile, of the one class."""
    path = folder / "profiles.json"
    path.write_text(
        json.dumps({"rule": 3, "profiles": [{**PROFILE, "classes": [CLASS_ID], "residency": None}]})
    )
    return read_profiles(path)


def make(folder: Path, world: World, hours: int) -> None:
    """Hours in ``folder/pow`` and ``folder/rewards``, and what was posted of each."""
    profiles = profiles_in(folder)
    before = of_hour.FIRST.observed
    for number in range(hours):
        postings = sealed(folder / "pow", world, number, profiles)
        (folder / f"{number}.postings").write_bytes(pickle.dumps(postings))
        history = world.history(postings)
        plan = world.plan(number)
        chain = hour_of(world.network, plan, {w.slot: world.opening(w) for w in plan.waves}, {}, history)
        # The makers are honest: what comes of their openings needn't be computed to be published.
        held = HeldFiles(folder / "pow", number)
        work = merge(chain, profiles, held, before, Openings(np.zeros(0, KINDS), 0, b""))
        before = work.observed
        start = world.network.start_of(number)
        rows = field_rows(history.devices, observations(work.observed), history.hired)
        hour = Hour(number, start, EMITTED * (number + 1))
        publish(folder / "rewards", hour, work, rows, class_rows(history.classes, start))


KINDS = np.dtype([("wave", "<u8"), ("device", KEY), ("code", "u1")])


def sealed(folder: Path, world: World, number: int, profiles: Profiles) -> list[Posting]:
    """All devices prove, commit and open; operators have it all, each after its own time, and post it."""
    wave, backend, profile = world.wave(number), NumpyBackend(), profiles[0]
    seed = wave.open_seed(world.opening(wave))
    commits, opened = [], []
    for device, worker in world.workers.items():
        proof = prove(backend, wave.seed, device, profile, 1)
        commit = Commit(wave.seed, device, WaveKind.PRODUCT, 1, profile.id, 5_000, proof.root)
        commits.append(commit.sign(worker))
        blob = proof.open(picks(seed, device, proof.root, profile, 1))
        name = sha256(blob).digest()
        place = folder / OPENINGS / name.hex()[:2]
        place.mkdir(parents=True, exist_ok=True)
        (place / name.hex()).write_bytes(blob)
        opened.append((wave.slot, device, proof.root, name, len(blob)))
    asked = np.array([bytes(each) for each in world.workers], KEY)
    slots = [each.slot for each in world.plan(number).pings]
    pings = files.write_pings(asked, slots, np.ones((len(slots), len(asked)), bool))
    transfers = files.Transfers(0, files.transfer_rows({})).write()
    hashes = sha256(pings).digest(), sha256(transfers).digest()
    evidence = files.Evidence(*hashes, files.evidence_rows(opened)).write()
    postings, place = [], folder / str(number)
    place.mkdir(parents=True)
    for at, operator in enumerate(world.operators):
        rows = files.wave_rows((each, 7_000 + at) for each in commits)
        waves = files.write_wave(rows)
        names = {f"wave-{wave.slot}": waves, "evidence": evidence, "ping": pings, "transfer": transfers}
        for name, data in names.items():
            (place / f"{name}-{operator}.bin").write_bytes(data)
        for kind, slot, data, now, second in (
            (PostKind.WAVE, wave.slot, waves, wave.slot + OPEN_AFTER - 1, wave.time + 50),
            (PostKind.EVIDENCE, 0, evidence, wave.slot + SLOTS, START + SECONDS * (number + 1) + 60),
        ):
            postings.append(Posting(operator, number, kind, slot, sha256(data).digest(), now, second))
    return postings


def of_operators(files: Files, number: int, folder: Path) -> tuple[int, float]:
    """Hold operators' files to what was posted of them: rows that were signed, processor seconds."""
    begun = time.process_time()
    findings, counts = files.run(number, [folder])
    assert not findings, findings[:3]
    return counts["commits"], time.process_time() - begun


def check(folder: Path, world: World, hours: int, share: float) -> dict[str, float]:
    """Hold all hours to what was posted; fails where anything is wrong. Processor seconds and peak bytes.

    As ``ionet audit`` does it, in two processes side by side.
    """
    profiles = read_profiles(folder / "profiles.json")
    workers = {address: bytes(each["worker"]) for address, each in world.devices.items()}
    verified = 0
    before = of_hour.FIRST
    begun = time.process_time()
    with beside() as pool:
        of_files = []
        for number in range(hours):
            postings = pickle.loads((folder / f"{number}.postings").read_bytes())
            history, plan = world.history(postings), world.plan(number)
            waves = {each.slot: each for each in plan.waves}
            files = Files(world.network, postings, waves, workers)
            of_files.append(pool.submit(of_operators, files, number, folder / "pow"))
            chain = hour_of(world.network, plan, {s: world.opening(w) for s, w in waves.items()}, {}, history)
            place = folder / "rewards" / str(number)
            published = read(place, number, digests(place), profiles.rule)
            verifiers: list[Openings] = []

            def verify(stated: Rows, *, number: int = number, made: list[Openings] = verifiers) -> Openings:
                made.append(Openings(stated, share, digest("bench", b"salt", bytes([number]))))
                return made[-1]

            held = HeldFiles(folder / "pow", number)
            hour = Hour(number, world.network.start_of(number), EMITTED * (number + 1))
            given = of_hour.Given(hour, history, chain, profiles, held, verify, before, lambda manifest: None)
            found = of_hour.audit(published, given)
            assert not found.findings and not found.unchecked, (found.findings[:3], found.unchecked[:3])
            before = found.after
            verified += sum(each.verified for each in verifiers)
        here = time.process_time() - begun
        signed, there = map(sum, zip(*(each.result() for each in of_files), strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"here": here, "there": there, "peak": peak, "openings": verified, "signatures": signed}


def child(folder: Path, count: int, hours: int, share: float) -> dict[str, float]:
    """Check in a new process."""
    command = [sys.executable, __file__, "--folder", str(folder), "--devices", str(count)]
    command += ["--hours", str(hours), "--share", str(share)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def measure() -> str:
    """The section of docs/benchmarks.md."""
    lines = []
    for count in sorted({count for count, _ in SIZES}):
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            hours_of = [hours for each, hours in SIZES if each == count]
            make(folder, World(count), max(hours_of))
            for hours in hours_of:
                found = child(folder, count, hours, SHARE)
                every = child(folder, count, hours, 1) if (count, hours) in COMPARED else None
                alone = (every["here"] - found["here"]) if every else 0.0
                busier = max(found["here"], found["there"])
                line = [
                    f"{count:,} devices, {hours} hours",
                    f"{found['signatures']:,.0f}",
                    f"{found['openings']:,.0f}",
                    f"{found['here']:.1f}",
                    f"{found['there']:.1f}",
                    f"{busier / hours:.2f}",
                    f"{found['peak'] / 1e6:,.0f}",
                    f"{every['openings']:,.0f}" if every else "-",
                    f"{alone:.1f}" if every else "-",
                    f"**{every['here'] / found['here']:.2f}**" if every else "-",
                ]
                print(" | ".join(line), flush=True)
                lines.append(line)
    head = [
        "",
        "rows signed",
        "openings verified",
        "part `hours`, s",
        "part `pow`, s",
        "an hour on two cores, s",
    ]
    head += ["peak, MB", "all openings", "of them alone, core-s", "times as long with all"]
    note = f"Processor time, a process for each part, without making; Python {platform.python_version()}."
    return f"{table(head, lines)}\n\n{note}\n"


def main() -> None:
    """Measure, print and renew the table, or check one folder for the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--devices", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--hours", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--share", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        world = World(options.devices)
        print(json.dumps(check(options.folder, world, options.hours, options.share)))
        return
    section = measure()
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    main()
