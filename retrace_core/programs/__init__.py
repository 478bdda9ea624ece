"""Programs: other processes that a request starts, or that work for it.

loop_program.py   a program that is started by the event loop itself
other_process.py  what another process hands over, for the boundaries of multiprocessing
program_pipe.py   what goes to a running program, and what comes from it, is an event each time
"""
