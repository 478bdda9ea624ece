"""Own transport: a connection of asyncio's with a protocol of the application's own.

So a client library without a boundary talks, too. What the transport tells the protocol, and
what is written to it, is recorded; on replay a transport that leads nowhere tells it again.

connection.py        one of them, and which recordings hear what it tells
told_protocol.py     stands before the application's protocol, and takes note
hearing.py           what one recording hears of one
transport_hooks.py   what is written to a transport
transport_info.py    what a transport knows of its connection
opening.py           where an event loop opens one
accepting.py         a server that a request begins
played_transport.py  the transport of a connection that is not there
watching.py          own sockets that a loop watches for who reads and writes by itself
telling.py           tells its protocol on replay what the recording had heard
"""
