"""Brokers: what the boundaries of clients of message brokers share: Kafka, RabbitMQ, MQTT, NATS.

message_headers.py  the headers by which a message carries the trace
client_calls.py     a request's functions that a client calls, when it is polled or by itself
sent_later.py       the future of a message that is sent when a batch is full
pause.py            a thread of the process polls, on replay, a client that is not there
kafka/              what the boundaries of Kafka's clients share
amqp/               what the boundaries of RabbitMQ's clients share
server_calls.py     an answer of the server, or a message that is waited for, is an event
mqtt/               what the boundaries of paho-mqtt and aiomqtt share
nats/               what the boundaries of nats-py's modules share
"""
