"""A class's market of agents by the keeper's own rules: what a price rule, or a game, comes to in a month."""
