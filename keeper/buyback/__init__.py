"""What the keeper decides about fees and auctions, and where it takes prices from."""
