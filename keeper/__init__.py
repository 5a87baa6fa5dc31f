"""The keeper: off-chain half of the network, replaceable by anyone."""
