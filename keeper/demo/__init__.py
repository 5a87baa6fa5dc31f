"""The whole economy on an embedded chain: 20 years, every figure checked."""
