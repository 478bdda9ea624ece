"""MySQL and MariaDB: what stands below the boundaries of PyMySQL, aiomysql and mysqlclient.

packets.py              the server's packets, where none were recorded
exchanges.py            what is asked and read, in PyMySQL's and aiomysql's common shape
stub.py                 a connection's other side on replay, of these two
backend.py              a server's side on replay, for a driver in C
mysqlclient_results.py  mysqlclient's results and what its connections say, given back
"""
