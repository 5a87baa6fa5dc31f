"""The names of numbers in the IDLs: each is the keeper's, and each field that has such numbers says which."""

from __future__ import annotations

import json
from enum import IntEnum
from pathlib import Path

import pytest

from keeper.clients.buyback import AuctionStatus
from keeper.clients.staking.accounts import BlockStatus, SlashStatus
from keeper.clients.tokenomics import SeasonStatus
from keeper.economy.classes import Pool, ProcessorKind
from keeper.economy.orders import (
    CloseReason,
    Currency,
    EndReason,
    LeaseOutcome,
    LeaseStatus,
    OrderStatus,
    Urgency,
)
from keeper.economy.staking import CoStakeState
from toolchain import enums
from toolchain.program_ids import deployed
from toolchain.programs import ROOT

OURS: dict[str, list[type[IntEnum]]] = {
    "tokenomics": [SeasonStatus],
    "staking": [BlockStatus, CoStakeState, LeaseOutcome, Pool, ProcessorKind, SlashStatus],
    "orders": [CloseReason, Currency, EndReason, LeaseStatus, OrderStatus, ProcessorKind, Urgency],
    "buyback": [AuctionStatus],
}


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_keepers_names_are_the_interfaces(name: str) -> None:
    types = json.loads((ROOT / f"idl/{name}.json").read_text())["types"]
    found = {
        each["name"]: [variant["name"].upper() for variant in each["type"]["variants"]]
        for each in types
        if each["type"]["kind"] == "enum"
    }
    expected = {each.__name__: [member.name for member in each] for each in OURS[name]}
    assert found == expected
    assert all([int(member) for member in each] == list(range(len(each))) for each in OURS[name])


def test_no_enum_is_both_in_the_sources_and_in_the_table() -> None:
    for crate in deployed(ROOT).values():
        assert not enums.read(ROOT / crate / "src").keys() & enums.COMPARED.keys()


def test_an_enum_in_rust(tmp_path: Path) -> None:
    text = "use x;\n\n/// Where it\n/// stands.\n#[repr(u8)]\npub enum State {{\n{}\n}}\n\nfn f() {{}}\n"
    source = tmp_path / "state.rs"
    source.write_text(
        text.format("    /// First.\n    One = 0,\n    /// Second,\n    /// and last.\n    Two = 1,")
    )
    (state,) = enums.read(tmp_path).values()
    assert state["docs"] == ["Where it stands.", "", "0 `One`: First.", "", "1 `Two`: Second, and last."]
    assert state["type"] == {"kind": "enum", "variants": [{"name": "One"}, {"name": "Two"}]}
    for wrong in ("    /// First.\n    One = 1,", "    One = 0,"):
        source.write_text(text.format(wrong))
        with pytest.raises(SystemExit, match="State must count from 0 and say what each number is"):
            enums.read(tmp_path)
