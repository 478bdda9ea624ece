"""NATS: what the boundaries of nats-py's modules share.

sent_message.py     what a message asks, and messages as plain data and back
stand_in_server.py  no server is connected on replay, and the client does not know
called_in_turn.py   a request's callback that is awaited for each message
"""
