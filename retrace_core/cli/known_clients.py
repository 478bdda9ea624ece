"""Known clients: libraries that ask the world and have no boundary, and how to cover each."""

from __future__ import annotations

__all__ = ["BELOW", "UNCOVERED", "how_to_cover"]

BELOW: dict[str, str] = {
    "boto3": "urllib3",
    "dropbox": "urllib3",
    "elasticsearch": "urllib3",
    "hvac": "urllib3",
    "influxdb_client": "urllib3",
    "kubernetes": "urllib3",
    "meilisearch": "urllib3",
    "minio": "urllib3",
    "opensearchpy": "urllib3",
    "pysftp": "paramiko",
    "qdrant_client": "httpx",
    "slack_sdk": "http.client",
    "stripe": "urllib3",
    "twilio": "urllib3",
    "typesense": "urllib3",
}
"""Client -> the library below it whose boundary covers it."""

UNCOVERED: dict[str, str] = {
    "aioredis": "use redis.asyncio, which is covered",
    "bmemcached": "declare the function that gets, with free=True",
    "cassandra": "its answers come on a thread of its own: declare the function that executes",
    "cassandra_asyncio": "declare the coroutine function that executes",
    "clickhouse_driver": "declare the function that executes",
    "couchbase": "it is in C: declare the function that gets or upserts",
    "etcd3": "declare the function that gets or puts",
    "ibm_db": "it is in C: declare the function that queries",
    "neo4j": "declare the function that runs the query",
    "oracledb": "declare the function that executes",
    "cx_Oracle": "it is in C: declare the function that executes",
    "asyncssh": "declare the coroutine function that runs the command, or copies the file",
    "pymssql": "it is in C: declare the function that executes",
    "snowflake.connector": "declare the function that executes",
    "socketio": "declare the function that emits or calls",
    "rocksdict": "it is in C: declare the function that gets or puts",
    "suds": "declare the function that calls the service",
    "telnetlib3": "declare the coroutine function that talks",
    "thrift": "declare the function that calls the service",
    "torch": "of a model that runs on a GPU, declare the function that infers",
}
"""Client -> what to declare with `@retrace_core.boundary`, or to use in its place."""


def how_to_cover(library: str) -> str:
    """Return what to do about a known client, or "" for one that is not known."""
    return next((advice for name, advice in UNCOVERED.items() if name.split(".")[0] == library), "")
