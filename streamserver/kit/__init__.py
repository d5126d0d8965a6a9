"""Tools that know no shop."""
