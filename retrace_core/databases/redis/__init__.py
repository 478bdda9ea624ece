"""Redis: what the boundaries of redis-py and of valkey, its fork, share.

commands.py          what is asked, as keys, and the replies
client_hooks.py      an event for each command, pipeline and message
asyncio_hooks.py     the same, for asyncio
connection_hooks.py  below them there are no connections on replay
coredis_commands.py  what its requests ask, as keys, and its replies as data
lock_clock.py        by which an asyncio lock gives up
"""
