"""Databases: what the boundaries of their drivers share: the stand-in of each server on replay.

redis/       what redis-py's and valkey's boundaries share, sync and asyncio
mongodb/     what pymongo's boundaries share, sync and asyncio
mysql/       what the drivers of MySQL share: the server's packets on replay
postgresql/  what the drivers of PostgreSQL share: the stand-in of the server on replay
sqlite/      what the boundary of sqlite3 is made of
"""
