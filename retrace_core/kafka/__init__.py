"""Kafka: what the boundaries of its clients share.

message.py        what a message asks, and the headers by which it carries the trace
client_calls.py   a request's functions that the client calls, when it is polled or by itself
sent_later.py     the future of a message that is sent when a batch is full
asked_in_tasks.py what a client with coroutine methods answers, and that none is connected on replay
plain_values.py   what clients in Python say, as plain values and back
making.py         a client in Python whose `__init__` connects is not made on replay
pause.py          a thread of the process polls, on replay, a client that is not there
confluent.py      what confluent-kafka says, as plain values and back
kept_message.py   stands for a message of it where nobody can make one
"""
