"""An operator's part in clusters: the board, the relay, and what it publishes of leases that go wrong."""
