"""The keeper at work: the loop, leadership, health, and the wiring of it all."""
