"""HTTP clients: what the boundaries of clients share, and those of gRPC and web sockets.

http_exchange.py      what all HTTP clients' boundaries share
curl_handle.py        a handle of curl_cffi's: where its transfer goes, and who gets what comes
httpx_carrier.py      the trace's headers are in a request of theirs while it is sent
httpx_exchange.py     what the boundaries of httpx and httpx2 share
grpc_metadata.py      what the boundaries of gRPC's two clients share
grpc_port.py          a port of a gRPC server, which a replay binds in name only
websocket_channel.py  what the boundaries of websockets' two clients share
"""
