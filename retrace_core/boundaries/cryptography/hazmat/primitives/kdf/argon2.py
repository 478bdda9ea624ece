"""cryptography's Argon2id: what is derived of a secret, and whether it is right, was recorded.

Hooks: `derive` and `verify` of the native class. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from retrace_core.crypto.derived_key import derived_key_boundary

BOUNDARY = derived_key_boundary("cryptography.argon2", Argon2id)
