"""What the events of roles and parameters do to a config: the same in every program that has them."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.indexer.book import Book, Fold

NOBODY = Pubkey.default()
"""Where nobody has been named."""


def role_folds(config: Pubkey) -> Mapping[str, Fold]:
    """Admin, guardian and pause, by event, for the program whose config is at this address."""

    def pause_set(book: Book, event: Fields, at: int) -> None:
        """The guardian paused something."""
        book.change("Config", config).update(pause_mask=event["mask"], pause_until=event["until"])

    def admin_proposed(book: Book, event: Fields, at: int) -> None:
        """The admin named a successor."""
        book.change("Config", config)["pending_admin"] = event["pending"]

    def admin_changed(book: Book, event: Fields, at: int) -> None:
        """The successor took over."""
        book.change("Config", config).update(admin=event["to"], pending_admin=NOBODY)

    def guardian_proposed(book: Book, event: Fields, at: int) -> None:
        """The admin named another guardian."""
        book.change("Config", config).update(pending_guardian=event["pending"], guardian_at=event["at"])

    def guardian_changed(book: Book, event: Fields, at: int) -> None:
        """There is another guardian."""
        book.change("Config", config).update(guardian=event["to"], pending_guardian=NOBODY, guardian_at=0)

    return {
        "PauseSet": pause_set,
        "AdminProposed": admin_proposed,
        "AdminChanged": admin_changed,
        "GuardianProposed": guardian_proposed,
        "GuardianChanged": guardian_changed,
    }


def param_folds(config: Pubkey) -> Mapping[str, Fold]:
    """Parameters that change after a notice, by event."""

    def proposed(book: Book, event: Fields, at: int) -> None:
        """Parameters wait for their notice."""
        book.change("Config", config).update(pending=event["params"], pending_at=event["at"])

    def cancelled(book: Book, event: Fields, at: int) -> None:
        """The proposal is dropped; what it was stays in the account."""
        book.change("Config", config)["pending_at"] = 0

    def applied(book: Book, event: Fields, at: int) -> None:
        """The proposal is in force."""
        fields = book.change("Config", config)
        fields.update(params=fields["pending"], pending_at=0, revision=event["revision"])

    return {"ParamsProposed": proposed, "ParamsCancelled": cancelled, "ParamsApplied": applied}
