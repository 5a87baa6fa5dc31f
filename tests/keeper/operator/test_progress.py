"""How far a service says that it is with a wave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.operator import progress
from keeper.operator.claims import is_drawn
from keeper.operator.waves import Held, State
from keeper.pow.messages import Signed
from tests.keeper.operator.network import Net
from tests.keeper.operator.test_waves import commit_all, open_all


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


async def test_what_lacks_of_a_wave_is_none_before_it_is_drawn_then_all_then_nothing(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    slot = str(wave.wave.slot)
    commit_all(net, operator, wave)
    assert progress.progress(operator.desk)["waves"][slot] == {"state": "open", "commits": 2, "lacking": None}
    await net.go(70, operator)
    assert progress.progress(operator.desk)["waves"][slot] == {"state": "drawn", "commits": 2, "lacking": 2}
    open_all(net, operator, wave)
    assert progress.progress(operator.desk)["waves"][slot] == {"state": "drawn", "commits": 2, "lacking": 0}
    assert progress.is_complete(operator.desk, wave)


async def test_roots_that_are_learned_on_a_thread_meanwhile_are_counted_the_next_time(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    assert wave.state is State.DRAWN
    (commit, *_) = next(iter(wave.roots.values())).values()

    def learning(held: Held, device: bytes, kind: object) -> bool:
        other = replace(commit, device=Pubkey.new_unique())
        another = replace(commit, device=Pubkey.from_bytes(device), root=bytes(other.device))
        held.learn([Signed(each, Signature.default()) for each in (other, another)])
        return is_drawn(held, device, commit.kind)

    with monkeypatch.context() as patch:
        patch.setattr(progress, "is_drawn", learning)
        assert progress.lacking(operator.desk, wave) == 2
    assert progress.lacking(operator.desk, wave) == 6
