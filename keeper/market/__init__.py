"""Orders and devices brought together: pure functions of what is on chain."""
