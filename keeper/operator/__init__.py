"""The challenge service: takes what devices send in a wave, seals it, posts its hash, and shares it."""
