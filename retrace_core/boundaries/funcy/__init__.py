"""funcy, whose `memoize` keeps what functions returned."""
