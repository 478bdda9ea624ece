"""Kafka: what the boundaries of its clients share.

message.py        what a message asks, and the headers by which it carries the trace
client_calls.py   a request's functions that the client calls, when it is polled or by itself
confluent.py      what confluent-kafka says, as plain values and back
"""
