"""PostgreSQL: what the boundaries of its drivers share, and their parts.

backend.py             the server's side of a connection on replay
protocol.py            recorded results as the server's messages
statements.py          statements in keys; answers where nothing was recorded
psycopg_wait.py        one wait of psycopg's: what is sent, recorded, asked for
psycopg_notes.py       how a wait learns what is sent next
psycopg_exchanges.py   statements, streams and COPY
psycopg_pipelines.py   pipelines
psycopg_driving.py     who runs psycopg's generators on replay
psycopg2_switch.py     psycopg2: recorded, or answered
psycopg2_results.py    psycopg2's results before any typecaster
psycopg2_copies.py     what COPY writes
asyncpg_exchanges.py   what asyncpg asks, recorded or answered
asyncpg_descriptions.py  what the server said of a statement, its parameters and columns
asyncpg_answers.py     its answers, read by its own protocol object
asyncpg_stub.py        its connection on replay
message_stub.py        a socket that gives a driver in Python recorded messages to read
"""
