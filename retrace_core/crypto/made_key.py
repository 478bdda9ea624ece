"""Made key: a private key that a request makes, for the boundaries of cryptography.

Native code draws it, past every source of randomness that is hooked. It is kept as it is, as
what `secrets` draws is kept: whatever the request does with the key (stores it, signs with it,
answers with its public half) comes out otherwise without it. So the recording holds the key.
"""

from __future__ import annotations

from typing import Any

__all__ = ["key_from_bytes", "key_to_bytes"]


def key_to_bytes(key: Any) -> bytes:
    """Return a private key of any kind as PKCS #8, in DER."""
    serialization = _serialization()
    data: bytes = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return data


def key_from_bytes(data: bytes) -> Any:
    """Return the private key that `key_to_bytes` was given."""
    return _serialization().load_der_private_key(data, None)


def _serialization() -> Any:
    # Not before it is used: it imports the modules of all kinds of keys, and with them the
    # boundaries that import this file.
    from cryptography.hazmat.primitives import serialization

    return serialization
