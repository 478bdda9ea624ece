"""Redaction: secrets in recordings give way to pseudonyms, and the recordings replay all the same.

The files, from finding to writing:

    names.py         which names name secrets
    places.py        values after such a name, in any text
    statements.py    parameters that go into such a column, in SQL
    detectors.py     secrets that are known by what they look like
    tokens.py        JWTs and signed cookies: masked are their signatures
    compressed.py    bodies that came by gzip, opened and packed again
    pseudonyms.py    what stands for a secret, as long and of the same characters
    forms.py         other shapes of a secret: encoded, decoded, hashed
    secret_set.py    the secrets found in one recording, in all forms
    messagepack.py   what stands at a place of an encoded recording
    hashed.py        what code hashed: a fingerprint of it, where a secret is in it
    replacing.py     every occurrence of them, but for those that mean something else
    redactor.py      all of this for the bytes of one recording
    concealing.py    for the writer
    scanning.py      for recordings that are there
    in_force.py      by the settings
"""
