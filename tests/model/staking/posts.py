"""What operators post, in the reference model: nothing but a count in the hour is kept on chain."""

from __future__ import annotations

from tests.model.schedule import HOUR
from tests.model.staking.base import StakingLedger
from tests.model.staking.state import BATCH, MAX_POSTS, WAVE, Posts
from tests.model.state import Address, Event, require


class Postings(StakingLedger):
    """Hashes of what is published elsewhere, at a time that nobody can change afterwards."""

    def post(
        self, operator: Address, number: int, kind: int, slot: int, digest: bytes, now_slot: int
    ) -> Event:
        self._config()
        self._operator(operator)
        require(WAVE <= kind <= BATCH, "PostInvalid")
        hour = self.now // HOUR
        posts = self.posts.get(operator) or Posts(operator)
        count = 0 if hour > posts.hour else posts.count
        require(count < MAX_POSTS, "PostLimit")
        self.posts[operator] = Posts(operator, max(hour, posts.hour), count + 1)
        return "Posted", {
            "operator": operator,
            "number": number,
            "kind": kind,
            "slot": slot,
            "hash": digest,
            "now_slot": now_slot,
            "at": self.now,
        }
