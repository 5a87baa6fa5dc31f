"""What somebody is about to sign: its instructions, every token that moves, and what must hold before."""
