"""Crypto: what the boundaries of libraries for keys, digests and tokens share.

Where secrets are masked, a key or a signature of the recording is not that of the replay: what
was hashed, signed or encrypted is recorded, so that it comes out the same.

checking.py         what libraries say of secrets (hashes, signatures), for masked replays
derived_key.py      a key that is made of a secret, for cryptography's boundaries
ciphering.py        what a replay encrypted it can decrypt, though its key is masked
deciphered.py       what is recorded of what was in it
cipher_context.py   and so piece by piece
block_ciphers.py    those of PyCryptodome, for the boundaries of its two names
signed_payloads.py  what a token says that its library compressed, for boundaries of such
ticket.py           whom a ticket in a cookie names, for boundaries of such
hashing.py          digests are recorded where secrets are masked
hash_object.py      one of hashlib's that keeps what it is fed
made_key.py         a private key that a request makes, for cryptography's boundaries
edwards_keys.py     what those of Ed25519 and Ed448 share
private_key.py      what in a private key is its public half
stand_in_key.py     a private key of the kind that a masked one was, for replays
read_key.py         a private key of paramiko's that is read, by its public half
"""
