"""What operators' services exchange files by; it lies further down, for jobs and auditors use it, too."""

from keeper.rewards.peers import Peers

__all__ = ["Peers"]
