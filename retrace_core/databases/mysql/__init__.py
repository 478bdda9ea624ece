"""MySQL and MariaDB: what stands below the boundaries of their drivers.

packets.py              the server's packets, where none were recorded
question.py             what is asked, as a key
exchanges.py            what is asked and read, in PyMySQL's and aiomysql's common shape
stub.py                 a connection's other side on replay, of these two
arrivals.py             what comes on a connection of asyncmy's, whose buffer is read in C
backend.py              a server's side on replay, for a driver in C
connector_connections.py  MySQL Connector/Python's connections, opened and set up
connector_exchanges.py  what is asked and read by those in Python
connector_sockets.py    what they read packets from, and its stand-in
connector_results.py    what those in C say, given back
mysqlclient_results.py  mysqlclient's results and what its connections say, given back
"""
