"""Boot: what a process asks for itself, kept once for all its recordings.

tape.py       what the process asks for itself: start-up, connects, filled caches
chapter.py    one chapter of that
recording.py  the boot tape as files of the store
filling.py    a cache's fill is on the boot tape
texts.py      which texts on a boot tape may be secrets, and where they stand
warm_ups.py   the first requests of a process wait in memory for a recording to come
"""
