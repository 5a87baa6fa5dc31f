"""Proof of work of devices: waves drawn by the chain, products, verdicts. All of it can be computed again."""
