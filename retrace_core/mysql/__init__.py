"""MySQL and MariaDB: what the boundaries of PyMySQL and aiomysql share.

packets.py     the server's packets, where none were recorded
exchanges.py   what is asked and read, in PyMySQL's and aiomysql's common shape
stub.py        a connection's other side on replay
"""
