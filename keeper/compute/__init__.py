"""Clusters on leased devices: who is in one, what its members tell each other, what became of them.

Nothing here starts a node or opens a sandbox yet: docs/compute.md says what is built.
"""
