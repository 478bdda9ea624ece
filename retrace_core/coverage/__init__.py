"""Coverage: what reached the world past all boundaries, and from which line.

covering.py        whether a boundary stands above a library's line
coverage_watch.py  what reached the world past all boundaries
audit_events.py    what the interpreter's audit events say of the world
asking_line.py     which line of the application asked
"""
