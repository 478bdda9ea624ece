"""Redaction: secrets in recordings give way to pseudonyms, and the recordings replay all the same.

The files, from finding to writing:

    names.py         which names name secrets
    places.py        values after such a name, in any text
    signature_lists.py  signatures that say how they were made: the time, the version of a scheme
    statements.py    parameters that go into such a column, in SQL
    cells.py         one value of a row each, as recorded, and how its pseudonym is written there
    row_messages.py  cells in what PostgreSQL's server sends, as asyncpg recorded it
    row_packets.py   cells in what MySQL's server sends, as its drivers recorded it
    binary_row.py    values of a row of a statement that MySQL prepared
    rows.py          the values of result columns whose names name secrets, of all drivers of SQL
    detectors.py     secrets that are known by what they look like
    tokens.py        JWTs and signed cookies: masked are their signatures
    pickled_texts.py  objects of Python's in base64, as Django's cache in a database keeps them
    pem_keys.py      private keys as text, also as one line of a variable's
    json_path.py     which values of a document a user's rule means; a small part of RFC 9535
    json_texts.py    the documents that stand in a body, a message or an answer, whole or cut off
    json_rules.py    the values that the user's paths mean, in texts that have JSON in them
    lane_events.py   of a lane as they stand in an encoded recording: kind, key and value of each
    bodies.py        what an outgoing exchange was answered, put together from its reads and chunks
    gzip_streams.py  one unpacked, and one packed to a given size
    zlib_streams.py  one unpacked, and one packed to a given size
    document_parts.py  parts of ZIP archives, PDFs and Git's packs, packed to as many bytes
    zstd_frames.py   one unpacked, and one packed to a given size
    brotli_streams.py  one unpacked, and one packed to a given size; where the library is there
    columnar.py      tables that a library read by their name, unpacked before they are masked
    compressed.py    bodies that came packed are looked into, and packed again to as many bytes
    unpacking.py     those of one region
    base64_text.py   what data looks like in base64, by each of its alphabets
    pseudonyms.py    what stands for a secret, as long and of the same characters
    numerals.py      pseudonyms of numbers and dates, which can be read as such again
    drawn.py         the draw of which a UUID was made
    drawn_characters.py  those of a secret that was drawn character by character
    forms.py         other shapes of a secret: encoded, decoded, hashed
    replacements.py  what is written in the place of a secret, for each form of it
    found_values.py  what is masked where a value was found to be a secret
    one_time_codes.py  those that a request reckoned itself stand as they are
    secret_set.py    the secrets found in one recording
    messagepack.py   what stands at a place of an encoded recording
    looks.py         what was found in texts seen lately
    hashed.py        what code hashed: a fingerprint of it, where a secret is in it
    salted.py        a digest and its salt, in one text with nothing between them
    boot_digests.py  what it hashed at start-up, known in all recordings
    boot_keys.py     secrets by a name that the start-up had, known in all recordings
    lately_found.py  those that its recordings had lately, known in the next
    known_secrets.py  all three
    replacing.py     every occurrence of them, but for those that mean something else
    content_folders.py  a folder that a masked digest begins the name of
    growing_folders.py  and folders that ever longer beginnings of one name
    payloads.py      what tokens say is masked in turn, also where it is compressed
    repacking.py     compressed bodies with secrets in them, masked and packed to as many bytes
    redactor.py      all of this for the bytes of one recording
    concealing.py    for the writer
    plain_texts.py   what was masked, as code and files of settings have it
    in_code.py       which of what was masked stands in the application's code anyway
    in_boot.py       which of it the boot tape has in the clear
    pointing.py      says so in the recording
    scanning.py      for recordings that are there
    in_force.py      by the settings
"""
