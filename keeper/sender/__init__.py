"""What the keeper does on chain: meant first, then signed, sent, and followed until it is certain.

:class:`keeper.sender.sender.Sender` is not here: what an action is, is said without a database.
"""

from keeper.sender.intents import Action, Halted

__all__ = ["Action", "Halted"]
