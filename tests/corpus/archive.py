"""Source archives: packages small enough to be made as they are needed."""

from __future__ import annotations

import gzip
import io
import tarfile

__all__ = ["release"]


def release(name: str, version: str) -> tuple[str, bytes]:
    """Return file name and content of a source archive; the same bytes each time."""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        entry.size = len(about)
        archive.addfile(entry, io.BytesIO(about.encode()))
    return f"{name}-{version}.tar.gz", gzip.compress(content.getvalue(), mtime=0)
