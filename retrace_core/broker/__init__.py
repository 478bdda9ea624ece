"""Broker: what the boundaries of clients of message brokers share: Kafka, RabbitMQ, MQTT, NATS.

message_headers.py  the headers by which a message carries the trace
client_calls.py     a request's functions that a client calls, when it is polled or by itself
sent_later.py       the future of a message that is sent when a batch is full
pause.py            a thread of the process polls, on replay, a client that is not there
"""
