"""Declared: the boundaries that an application declares of its own.

boundary.py  `boundary`: an application declares one of its own
key.py       what such a call asks
stream.py    and such a generator, item by item
switch.py    the live/record/replay switch for it
"""
