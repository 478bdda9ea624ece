"""Processes that a request starts by `multiprocessing`, and what it gets from them."""
