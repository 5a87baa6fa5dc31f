"""Where somebody else's explorer shows a transaction or an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

NAME = "{id}"
WORDS = re.compile(r"\{([a-z]+),([a-z]+)\}")
MOST = 300
FORM = "write it like https://explorer.example/{tx,address}/{id}"


@dataclass(frozen=True, slots=True)
class Explorer:
    """An explorer's address with places for what is shown.

    ``{tx,address}`` are its own words for a transaction and an address, ``{id}`` is which. Pages read one
    that their viewer has chosen alike: ``web/src/chain/explorer.ts``.
    """

    template: str

    def __post_init__(self) -> None:
        """Raises ValueError where the places lack, or it is no web address."""
        host, _, rest = self.template.partition("{")
        if len(self.template) > MOST or any(each.isspace() for each in self.template):
            raise ValueError(FORM)
        if len(WORDS.findall("{" + rest)) != 1 or rest.count(NAME) != 1:
            raise ValueError(FORM)
        found = urlsplit(host)
        # A place in the host's name would let what is shown say which site is opened.
        if found.scheme not in ("http", "https") or not found.hostname or not found.path:
            raise ValueError(FORM)

    def transaction(self, signature: str) -> str:
        """Where it shows a transaction."""
        return self._at(1, signature)

    def address(self, address: str) -> str:
        """Where it shows an account."""
        return self._at(2, address)

    def _at(self, word: int, name: str) -> str:
        return WORDS.sub(lambda found: found[word], self.template).replace(NAME, name)
