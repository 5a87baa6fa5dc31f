"""What an audit goes by: which errors leave it open, whose posting counts, what the rule's leases cost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.market import audit, audit_hours, files, holding, reputation, rules, work
from keeper.market.assignment import assign
from keeper.market.audit import Match
from keeper.market.files import BaseMissing, FileDiffers, NotCanonical, RuleUnknown
from keeper.market.findings import SAME, Culprit, Finding, Verdict, of_error
from keeper.market.folder import MarketFolder, StepsInvalid, StepsMissing
from keeper.market.manifest import NAME
from keeper.market.snapshot import Snapshot
from keeper.market.steps import StepTable
from keeper.pow.anchored import Posting, PostKind
from tests.keeper.market.test_matching import PRICE, priced
from tests.keeper.market.ticks import TICK, device, key, order, tick

OPERATOR, OTHER = Pubkey(key("operator")), Pubkey(key("other"))


@pytest.mark.parametrize("error", [RuleUnknown, BaseMissing, StepsMissing])
def test_what_is_missing_leaves_it_open(error: type[UserError]) -> None:
    assert of_error(error("what"), OPERATOR) == Finding(Verdict.MISSING, "what")


@pytest.mark.parametrize("error", [FileDiffers, NotCanonical, StepsInvalid])
def test_what_is_wrong_is_a_difference(error: type[UserError]) -> None:
    assert of_error(error("what")) == Finding(Verdict.DIFFERENT, "what")
    assert of_error(error("what"), OPERATOR) == Finding(Verdict.DIFFERENT, "what", Culprit(OPERATOR))


def test_a_difference_names_whose_files_where_and_what_the_rule_gives(tmp_path: Path) -> None:
    folder, state = MarketFolder(tmp_path), tick([device("one")], [order("order")])
    other = tick([device("one", tier=2)], [order("order")])
    folder.write(TICK, files.write(state, OPERATOR))
    batch, _ = audit.of_files(folder, TICK)
    assert batch is not None
    finding = audit.of_state(folder, batch, other, assign(other))
    culprit = finding.culprit
    assert culprit is not None and culprit.found is not None and culprit.expected is not None
    assert (culprit.operator, culprit.file, culprit.row, culprit.vouched) == (
        OPERATOR,
        "devices.csv",
        2,
        None,
    )
    assert culprit.found.split(",")[3] == "1" and culprit.expected.split(",")[3] == "2"
    for hash_, its_own in ((batch.manifest.hash, True), (bytes(32), False)):
        posting = Posting(OPERATOR, TICK, int(PostKind.BATCH), 7, hash_, 8, 9)
        known = audit.vouched(finding, batch, {OPERATOR: posting}).culprit
        assert known == replace(culprit, vouched=its_own)
    assert audit.vouched(finding, batch, {}).culprit == replace(culprit, vouched=False)
    assert folder.operator(TICK) == OPERATOR and folder.operator(TICK + 1) is None


def test_other_rules_blame_nobody(tmp_path: Path) -> None:
    """Another version's figures, and proofs of work that this one doesn't know."""
    state = tick([device("one")], [order("order")])
    written = files.read(files.write(replace(state, profiled=(1, 3)), OPERATOR))
    assert written.manifest.profiled == [1, 3] and written.snapshot.profiled == (1, 3)
    finding = audit.of_rules(written, replace(state, profiled=(1,)))
    assert finding == Finding(
        Verdict.MISSING,
        "decided by other rules: with proofs of work of classes 1 3, and this program knows 1",
    )
    assert audit.of_rules(written, replace(state, profiled=(1, 3))) == SAME
    before = rules.digest()
    for module, name, value in ((holding, "HOLD_AGE", 301), (reputation, "FAIL", 9), (work, "A_LOOK", 7)):
        with patch.object(module, name, value):
            assert rules.digest() != before, name
            assert audit.of_files(published(tmp_path, state), TICK)[1] == SAME
        finding = audit.of_files(MarketFolder(tmp_path), TICK)[1]
        assert finding.verdict is Verdict.MISSING and finding.culprit is None
        assert "decided by other rules" in finding.what


def published(path: Path, state: Snapshot) -> MarketFolder:
    folder = MarketFolder(path)
    folder.write(TICK, files.write(state, OPERATOR))
    return folder


def test_files_alone(tmp_path: Path) -> None:
    folder = MarketFolder(tmp_path)
    state = tick([device("one")], [order("order")])
    written = files.write(state, OPERATOR)
    folder.write(TICK, written)
    batch, finding = audit.of_files(folder, TICK)
    assert batch is not None and finding == SAME

    def spoilt(**changed: Any) -> Finding:
        manifest = {**json.loads(written[NAME]), **changed}
        data = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
        folder.write(TICK, {**written, NAME: data})
        return audit.of_files(folder, TICK)[1]

    assert spoilt(rule=3).verdict is Verdict.MISSING
    assert spoilt(seed="5").verdict is Verdict.DIFFERENT
    assert spoilt(seed="5").culprit == Culprit(OPERATOR)
    folder.write(TICK, {name: data for name, data in written.items() if name != "pairs.csv"})
    assert audit.of_files(folder, TICK) == (None, Finding(Verdict.MISSING, "pairs.csv is missing"))


def posted(operator: Pubkey, number: int, hash_: int = 1, kind: PostKind = PostKind.BATCH) -> Event:
    fields = {
        "operator": operator,
        "number": number,
        "kind": int(kind),
        "slot": 7,
        "hash": bytes([hash_]) * 32,
    }
    return Event("Posted", {**fields, "slot": 7, "now_slot": 8, "at": 9})


def test_an_operators_first_posting_of_a_tick_counts() -> None:
    events = [
        posted(OPERATOR, 5, kind=PostKind.WAVE),
        posted(OPERATOR, 5, 2),
        posted(OPERATOR, 5, 3),
        posted(OTHER, 5, 4),
        posted(OTHER, 9),
        Event("Other", {}),
    ]
    found = audit.postings(events, 1, 8)
    assert {number: {who: each.hash[0] for who, each in row.items()} for number, row in found.items()} == {
        5: {OPERATOR: 2, OTHER: 4}
    }


def test_files_go_on_from_an_operators_own_first_tick_of_the_hour() -> None:
    begins = 120 * 1_000
    events = [posted(OTHER, begins), posted(OPERATOR, begins + 3), posted(OPERATOR, begins + 5)]
    found = audit.postings(events, begins, begins + 119)
    assert audit.base_ticks(found, begins + 7).get(OPERATOR) == begins + 3
    assert audit.base_ticks(found, begins + 7).get(OTHER) == begins
    assert audit.base_ticks(found, begins + 3).get(OPERATOR) is None
    assert audit.base_ticks(found, begins + 120).get(OPERATOR) is None, "another hour"


def test_matches_of_the_tick_alone() -> None:
    order_, device_ = Pubkey(key("order")), Pubkey(key("one"))
    fields = {"matcher": OPERATOR, "order": order_, "device": device_, "rate": 5, "hours": 1}
    events = [Event("LeaseMatched", {**fields, "tick": each}) for each in (1, 2)]
    assert audit.matches([*events, Event("Other", {})], 2) == [Match(OPERATOR, order_, device_)]


def test_a_match_is_the_rules_whatever_it_costs_when_it_lands() -> None:
    """The tick before a new price is matched after it, too: that speaks against nobody."""
    state = tick([device("one"), device("two")], [order("order", currency=int(Currency.USDC), open=2)])
    rule = assign(state)
    of_order = Pubkey(key("order"))
    one, two, three = (Match(OPERATOR, of_order, Pubkey(key(name))) for name in ("one", "two", "three"))
    assert audit.of_matches(rule, [one, two]) == (SAME, 0)
    assert audit.of_matches(rule, [two]) == (SAME, 1)
    finding, _ = audit.of_matches(rule, [two, three])
    assert finding.verdict is Verdict.DIFFERENT
    due = sorted([str(one.device), str(two.device)], key=lambda each: bytes(Pubkey.from_string(each)))
    said = f"{OPERATOR} matched {three.device} to {of_order}, to which the rule gives {', '.join(due)}"
    assert finding.what == said
    expected = " ".join(due)
    assert finding.culprit == Culprit(OPERATOR, f"{of_order} {expected}", f"{of_order} {three.device}")
    finding, _ = audit.of_matches(rule, [Match(OPERATOR, OTHER, one.device)])
    assert finding.what.endswith(f"matched {one.device} to {OTHER}, to which the rule gives nothing")
    finding, _ = audit.of_matches(rule, [two, three], {OPERATOR})
    assert finding.verdict is Verdict.MISSING, "its files aren't here"
    assert finding.culprit == Culprit(OPERATOR, f"{of_order} {expected}", f"{of_order} {three.device}")


def test_a_class_that_is_missing_in_published_steps(tmp_path: Path) -> None:
    folder, rule = MarketFolder(tmp_path), StepTable(5, {1: (1, -2), 2: (0, 0)})
    folder.write_steps(StepTable(5, {1: (1, -2)}))
    finding = audit_hours.of_published(folder, rule)
    said = "class 2: nothing published, but the rule gives +0 bps in IO, +0 bps in USDC"
    assert finding == Finding(Verdict.DIFFERENT, said)
    folder.write_steps(rule)
    assert audit_hours.of_published(folder, rule) == SAME


def test_an_announced_step_and_the_price_that_it_goes_on_from() -> None:
    rule, classes = StepTable(5, {1: (100, -2)}), {1: priced(1)}
    fields = {"class": 1, "hour": 5, "step_io": 100, "step_usdc": -2, "at": 6 * HOUR + 20}
    prices = {"price_io": PRICE, "price_usdc": PRICE // 2}
    said = Event("PriceApplied", {**fields, **prices})
    of_another = Event("PriceApplied", {**fields, **prices, "hour": 4, "step_io": 7})
    assert audit_hours.of_announced([said, of_another, Event("Other", {})], rule, classes) == (SAME, 1)
    other_step = Event("PriceApplied", {**said.fields, "step_usdc": 2})
    finding, count = audit_hours.of_announced([other_step], rule, classes)
    stated, gives = "+100 bps in IO, +2 bps in USDC", "+100 bps in IO, -2 bps in USDC"
    what = f"class 1: {stated} announced, but the rule gives {gives}"
    assert (finding, count) == (Finding(Verdict.DIFFERENT, what), 1)
    other_price = Event("PriceApplied", {**said.fields, "price_io": PRICE + 1})
    finding, _ = audit_hours.of_announced([other_price], rule, classes)
    assert finding.verdict is Verdict.DIFFERENT
    assert str(PRICE + 1) in finding.what and str(PRICE) in finding.what
