"""Sockets: of libraries that no boundary stands above, and of the application itself.

own_socket.py        a socket that no boundary stands above
own_pair.py          two that the process connects to each other through a listener of its own
own_connecting.py    one that does not wait until it is connected
own_waiting.py       who waits for several, by `select` or its like, is told again who was ready
own_loop_socket.py   one that an event loop reads and writes
own_tls_object.py    TLS that a library makes by itself, over whatever it has
heard_by_several.py  what code is told on behalf of several recordings, it asks for all of them
own_stream.py        asyncio's streams that no boundary stands above
own_transport/       asyncio's connections with a protocol that no boundary stands above
sent_key.py          what stands in a key for what was sent over one
looked_up.py         addresses of names, by `socket` or by an event loop
stub_socket.py       what a replayed connection holds in the place of a socket
local_listener.py    a listener of a stand-in, past the hooks of sockets
"""
