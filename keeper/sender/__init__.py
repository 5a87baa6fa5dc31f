"""What the keeper does on chain: an intent first, then signed, sent, and followed until it is certain.

:class:`keeper.sender.sender.Sender` is not exported here: describing an action needs no database.
"""

from keeper.sender.intents import Action, Halted, Stopped

__all__ = ["Action", "Halted", "Stopped"]
