"""Concurrency: threads, tasks and loops come in the order in which they came.

serving_thread.py   by which thread of its process a request is served
carrying.py         how the scope gets into the threads and tasks that its code starts
loop_steps.py       how far the event loop got between one answer and the next
in_order.py         a set that is gone through in one order, in each process
spawn_order.py      a group's tasks, gone through in the order they were added
joining.py          when a coroutine that waited for a thread goes on
server_threads.py   whose threads serve the process, and no request of their own
others_threads.py   whether threads that other requests started still run
green_threads.py    whether gevent or eventlet took the place of threads
running_on.py       what the start-up began goes on after the first request
ordering.py         which thread got a lock, or an item of a queue, before which other
told_loop.py        which thread told an event loop to call something, before which other
found_done.py       which tasks `asyncio.wait` found done
timed.py            whether what is tried for some time came to anything
timed_waits.py      and so the waits of threads, and for futures
start_up_timers.py  and what its event loop calls later, as often as it had
timed_tasks.py      and so `asyncio.wait_for` of what the start-up left running
item_lanes.py       the work on an item of a queue is in a lane of who put the item there
item_tasks.py       and so where a task does it
pool_lanes.py       what is given to a `ThreadPool` of multiprocessing has lanes of its own
handed_over.py      what other work of the process gave to a request, as plain data
handed_futures.py   or what it sets as the result of a request's future
simple_queue.py     `queue.SimpleQueue`, which knows whose an item is
waited.py           the wait for a pool is an event, its inside is nobody's
"""
