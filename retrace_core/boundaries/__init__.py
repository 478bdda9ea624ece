"""One file for each client library, found by its path: `http/client.py` hooks `http.client`.

To add a library: write `boundaries/<import path>.py` with a `BOUNDARY` (see
`retrace_core.boundary`), and its test. Nothing else needs to be touched. The file is
imported when the library is, so it may import the library at its top. It imports no other
boundary, and nobody imports it by name.
"""
