"""Django's mails: the machine's full name, looked up for the first and kept for all.

What the look-up asks is on the boot tape, so that a mail which is not the first of its process
has its Message-ID on replay too, where it is the first.

Hook: `CachedDnsName.get_fqdn`, where the name is not there yet. It is in the module `utils`, which
this one imports before any mail is made.
"""

from __future__ import annotations

import functools
from typing import Any

from django.core.mail.utils import CachedDnsName

from retrace_core.boundary import Boundary, Patch, filling


def _hooked(original: Any) -> Any:
    filled = filling(original)

    @functools.wraps(original)
    def get_fqdn(self: Any) -> Any:
        return (original if hasattr(self, "_fqdn") else filled)(self)

    return get_fqdn


BOUNDARY = Boundary(
    kind="django.mail",
    supports="django>=3.2",
    hooks=(Patch(CachedDnsName, "get_fqdn", _hooked),),
)
