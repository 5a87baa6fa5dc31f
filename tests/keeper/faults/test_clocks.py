"""A machine whose clock is wrong: what a keeper does follows the chain's, and comes to the same."""

from pathlib import Path

import pytest

from tests.keeper.faults.kept import Kept, undisturbed

HOURS = (0, 1, 2, 4, 6, 10, 18)
MINUTES = 60


@pytest.mark.parametrize("skew", [-10 * MINUTES, 10 * MINUTES], ids=["behind", "ahead"])
async def test_ten_minutes_wrong(tmp_path: Path, skew: int) -> None:
    """Nothing is sent too early (``outcome`` sees to it that nothing was refused), nothing is left undone.

    The other day's machine is years ahead of the chain.
    """
    day = await undisturbed(HOURS, tmp_path / "right")
    kept = await Kept.started(tmp_path / "wrong", f"sqlite:///{tmp_path}/wrong.db", HOURS[-1])
    assert await kept.whole_day(HOURS, skew) == day.outcome
    assert kept.questions == day.questions, "it does the same, question by question"
    # A match by hand, whose operator posted no tick; and that one device signed two roots.
    events = [line["event"] for line in kept.logged("warning", "error")]
    assert events == ["tick.different", "slash.voted"]
