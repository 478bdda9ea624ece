"""MongoDB: what the sync and the asyncio boundary of pymongo share.

documents.py   BSON as plain values and back, so that redaction and people can read it
messages.py    what a message asks, without what differs from process to process
topology.py    which servers there are, on the boot tape
srv.py         what the names of mongodb+srv:// stand for, on the boot tape
stub.py        what a replayed connection holds in the place of a socket
exchanges.py   sending and receiving, as events
"""
