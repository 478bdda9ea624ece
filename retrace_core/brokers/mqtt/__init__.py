"""MQTT: what the boundaries of paho-mqtt and of aiomqtt, which stands on it, share.

mqtt_values.py   what paho says and what it is asked, as plain values and back
paho_calls.py    calls of a client, on replay of one that is connected to nobody
paho_hearing.py  a request's callbacks, and a process's that is told of its connection
"""
