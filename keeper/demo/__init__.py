"""The whole economy on an embedded chain: 20 years in seconds, every figure checked."""
