"""What the boundary of sqlite3 is made of, beside the classes that it hands out.

recorded_connection.py  connection on which statements inside a scope are events
recorded_cursor.py      and its cursor, recorded or answered from a recording
batch.py                the rows that one statement is run for, used up before it runs
parameters.py           what a statement's key has of them, by the application's own adapters
cells.py                what converters of the application's make of a column's bytes
callbacks.py            functions of the application's that SQLite calls while a statement runs
blob.py                 a value that is read and written in place; each access is an event
memory.py               what was not recorded of them they answer themselves
copied.py               the boundary of sqlite3 for a copy of the driver under another name
apsw_connection.py      those of APSW
apsw_cursor.py          and its cursors
asked.py                what a database or a statement of APSW's says of itself, as events
"""
