"""cryptography's Scrypt: what is derived of a secret, and whether it is right, was recorded.

Hooks: `derive` and `verify` of the native class. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from retrace_core.crypto.derived_key import derived_key_boundary

BOUNDARY = derived_key_boundary("cryptography.scrypt", Scrypt)
