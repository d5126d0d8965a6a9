"""A payment provider of our own that moves no money: for trying out, demos and tests."""
