"""tests/vectors/rewards.json is what the keeper gives and says; its amounts are the reference model's."""

import json
from collections import Counter

from keeper.rewards.rule import Reason
from tests.keeper.rewards.golden import MONTH, SECOND_MONTH, VECTORS, machines, vectors
from tests.keeper.rewards.tables import CLASSES
from tests.model import rewards as model
from tests.model import schedule
from tests.model.schedule import HOUR

FOUND = json.loads(VECTORS.read_text())
HOURS = {each["hour"]: each for each in FOUND["hours"]}


def table(hour: int, name: str) -> list[dict[str, str]]:
    """A table's rows as they are written."""
    header, *lines = HOURS[hour]["files"][name].splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def test_the_keeper_gives_the_file() -> None:
    """Else ``python -m tests.keeper.rewards.golden`` writes it anew."""
    assert json.loads(json.dumps(vectors())) == FOUND


def test_every_reason_is_there_by_itself_and_some_together() -> None:
    seen = Counter(int(row["reasons"]) for row in table(1, "rewards.csv"))
    assert set(map(int, Reason)) <= seen.keys()
    assert any(each.bit_count() > 1 for each in seen)
    assert {row["status"] for row in table(1, "rewards.csv")} == {"0", "1", "2"}
    assert {row["co_state"] for row in table(1, "inputs.csv")} == {"0", "1", "2", "3"}


def test_amounts_are_the_models() -> None:
    """The hours around a month's end are paid by what two different months emit in one."""
    emitted = {number: schedule.emitted(MONTH, number + 1) for number in HOURS}
    steps = [emitted[number] - emitted[number - 1] for number in (SECOND_MONTH - 1, SECOND_MONTH)]
    assert steps[0] > steps[1]
    for number, seed in ((1, 1), (SECOND_MONTH - 1, 3), (SECOND_MONTH, 4)):
        start = schedule.begin(MONTH) + number * HOUR
        before = {row["wallet"]: int(row["lifetime"]) for row in table(number - 1, "wallets.csv")}
        at_first = {text.encode(): amount for text, amount in before.items()}
        rows, after = model.reward(start, emitted[number], machines(start, seed), CLASSES, at_first)
        paid = sum(row.reward for row in rows.values())
        by_score = Counter((row.score, row.reward, row.co_part, row.status) for row in rows.values())
        assert by_score == Counter(
            tuple(int(row[name]) for name in ("score", "reward", "co_staker", "status"))
            for row in table(number, "rewards.csv")
        )
        assert sum(after.values()) == paid + sum(before.values())
        assert sum(int(row["lifetime"]) for row in table(number, "wallets.csv")) == sum(after.values())


def test_a_change_is_named_by_row_and_column() -> None:
    """But where a file that nothing else tells about was changed to something that might be."""
    unnamed = {"an input that changes nothing", "a verdict", "the record"}
    for each in FOUND["wrong"]:
        if each["kind"] == "altered" and not each["says"].endswith("is missing"):
            assert ("differs; " in each["says"]) == (each["what"] not in unnamed), each
