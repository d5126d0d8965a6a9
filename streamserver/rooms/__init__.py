"""A room's life, its line-up and pins, who is there, and the log by which a returning viewer catches up."""
