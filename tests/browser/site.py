"""Pages of a network that a test has for itself, in a browser with a wallet that does what it is told."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.connect import connect
from keeper.chain.framework import associated_token_address
from keeper.chain.token import read_token_account
from keeper.clients import staking, tokenomics
from tests.keeper.api.life import Life
from tests.programs.world import key

HERE = Path(__file__).parent
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
SECONDS = 1_800
"""Only what hangs takes so long."""

Step = Sequence[Any]


@dataclass
class Site:
    """Pages of a network that one test has for itself."""

    web: str
    node: str
    browser: str
    world: Life
    wrong: list[str] = field(default_factory=list)
    """What the browser's console said was wrong in the last visit."""

    def visit(
        self,
        steps: Sequence[Step],
        who: Keypair | None = None,
        mode: str = "signs",
        context: Any = None,
        *,
        keys: bool = False,
    ) -> list[Any]:
        """Do these steps in a new browser, with a wallet of ``who``; what each of them saw.

        With ``keys`` by keyboard alone, which is never without a place that is seen.
        """
        wallet = who and {
            "seed": list(bytes(who)[:32]),
            "address": str(who.pubkey()),
            "publicKey": list(bytes(who.pubkey())),
            "mode": mode,
        }
        wanted = {
            "web": self.web,
            "wallet": wallet,
            "memo": list(bytes(MEMO)),
            "chromium": self.browser,
            "context": context,
            "keys": keys,
            "steps": steps,
        }
        done = subprocess.run(
            ["node", HERE / "browse.mjs"],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["failed"] is None, (found["failed"], found["wrong"])
        self.wrong = found["wrong"]
        seen: list[Any] = found["seen"]
        return seen

    def act(
        self, path: str, steps: Sequence[Step], who: Keypair, then: Sequence[Step] = ()
    ) -> list[dict[str, Any]]:
        """Connect on a page, begin an act, sign it, see it become final, do ``then``; its preview's table.

        All of it by keyboard alone. What the preview said is then what the chain has.
        """
        signing = [
            *([["open", path], ["click", "Connect Test wallet"]]),
            *steps,
            *([["see", "Who has what"], ["table"], ["click", "Sign with Test wallet"], ["state", "final"]]),
            *(then or [["click", "Close"], ["gone", "Final: it has happened."]]),
        ]
        seen = self.visit(signing, who, keys=True)
        assert self.wrong == []
        table: list[dict[str, Any]] = seen[2 + len(steps) + 1]
        for row in table:
            _, _, _, after, _ = row["cells"]
            assert digits(after) == self.has(row["account"], row["unit"]), row
        return table

    def has(self, address: str, unit: str = "IO") -> int:
        """What an account has now: lamports, or tokens, base units."""
        account = self.account(Pubkey.from_string(address))
        if account is None:
            return 0
        return account.lamports if unit == "SOL" else read_token_account(account.data).amount

    def io(self, owner: Pubkey) -> int:
        """A wallet's IO, base units."""
        return self.has(str(associated_token_address(owner, tokenomics.MINT)))

    def account(self, address: Pubkey) -> Any:
        """An account, as the node has it."""

        async def read() -> Any:
            async with connect(self.node) as chain:
                (found,) = await chain.accounts([address])
                return found

        return asyncio.run(read())

    def device(self, name: str) -> staking.Device:
        """A worker's device."""
        return staking.parse_device(self.account(staking.device_address(key(name).pubkey())).data)

    def now(self) -> int:
        """The network's time, unix seconds; it stands still."""

        async def read() -> int:
            async with connect(self.node) as chain:
                return (await chain.clock()).unix_timestamp

        return asyncio.run(read())

    def advance(self, seconds: int) -> None:
        """Move the network's clock on."""
        command = [sys.executable, "-c", "from keeper.cli.main import main; main()", "clock", "advance"]
        subprocess.run([*command, str(seconds) + "s", "--chain", self.node], check=True, capture_output=True)


def digits(shown: str) -> int:
    """Base units of an amount as pages write it."""
    return int(re.sub(r"[,.+]", "", shown))
