"""Kafka: what the boundaries of its clients share.

message.py        what a message asks
asked_in_tasks.py what a client with coroutine methods answers, and that none is connected on replay
plain_values.py   what clients in Python say, as plain values and back
making.py         a client in Python whose `__init__` connects is not made on replay
confluent.py      what confluent-kafka says, as plain values and back
kept_message.py   stands for a message of it where nobody can make one
"""
