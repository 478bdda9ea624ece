"""Store: where recordings live.

protocol.py           what every store does, and the path contract
paths.py              the names of recordings in a store, made and told apart
opening.py            the store that a path or URL means
blobs.py              named bytes below a store's root, which every store is made of
folder_blobs.py       files below a folder as named bytes; private, whole, and never overwritten
directory.py          a folder as a store; folders 0700, files 0600, exclusive names
cloud.py              the client of a bucket; credentials by each cloud's standard chain only
cloud_errors.py       what a cloud's client says, as one of our errors, without secrets
object_blobs.py       objects of a bucket as named bytes, put exclusively by a conditional put
object_puts.py        many conditional puts at a time, each on a thread that blocks in the client
object_store.py       recordings in S3 and whatever is compatible, Google Cloud Storage and Azure
dated_store.py        a cloud's store with a folder for each day before the traces
pack.py               many recordings in one object, with an index before them
pack_indexes.py       what the packs of a store have, each index read once: packs never change
pack_rewriting.py     recordings are taken out of a pack, or changed in it: its next generation
packed_store.py       recordings that are objects of their own, and those in packs, as one store
putting.py            several recordings into a store, in the way that costs it least
overflowing_store.py  a folder that more comes for than its disk makes folders and files for
spool.py              a folder of this machine in which recordings wait to be shipped to a store
spool_budget.py       how much may wait in a spool, and who goes when it is more
spool_watch.py        wakes a shipper when something comes into the spool, or at intervals
spooled_store.py      what is put goes into a spool; what is asked, the store behind it answers
shipper.py            takes what waits in a spool to a store, and removes it once the store has it
keep_list.py          which traces a service has decided to keep, told to the others
verified.py           the mark beside a recording that says that it was replayed, identical
"""

from __future__ import annotations

from retrace_core.store.blobs import Blob, Blobs
from retrace_core.store.directory import DirectoryStore
from retrace_core.store.opening import is_remote, open_store
from retrace_core.store.protocol import (
    END_NS,
    BatchStore,
    BulkStore,
    RankedStore,
    RewritableStore,
    Store,
    StoredRecording,
)

__all__ = [
    "END_NS",
    "BatchStore",
    "Blob",
    "Blobs",
    "BulkStore",
    "DirectoryStore",
    "RankedStore",
    "RewritableStore",
    "Store",
    "StoredRecording",
    "is_remote",
    "open_store",
]
