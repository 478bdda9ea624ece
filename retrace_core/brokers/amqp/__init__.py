"""AMQP 0-9-1: what the boundaries of RabbitMQ's clients share.

plain_table.py    a table of AMQP, and a message's body, as plain values
pika_frames.py    what pika sends and hears, as plain values and back
pika_stand_in.py  a connection of pika's that connects to nothing
aiormq_frames.py  what aiormq sends and gets, as plain values and back
aiormq_asking.py  how its calls are recorded, and what answers them where nothing was
"""
