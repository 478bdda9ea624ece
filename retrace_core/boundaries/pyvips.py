"""pyvips: pictures that libvips opens and makes by their name.

Options after a name (`a.jpg[shrink=2]`) are not understood here: such a file is none.

Hooks: `new_from_file`, `thumbnail` and `write_to_file` of `pyvips.Image`. Read in pyvips 3.0.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.files.named_files import WRITES, opening

pyvips: Any = sys.modules["pyvips"]


def _static(patch: Patch) -> Patch:
    """Return a hook of what the class makes as it is asked for: it takes no `self`."""
    return Patch(patch.owner, patch.name, lambda original: staticmethod(patch.factory(original)))


BOUNDARY = Boundary(
    kind="file",
    supports="pyvips>=2.2",
    hooks=(
        *opening(pyvips.Image, "new_from_file", 0, "vips_filename"),
        *opening(pyvips.Image, "write_to_file", 1, "vips_filename", WRITES),
        *map(_static, opening(pyvips.Image, "thumbnail", 0, "filename")),
    ),
)
