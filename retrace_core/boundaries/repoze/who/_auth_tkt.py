"""repoze.who: whom a ticket in a cookie names comes from the recording; a masked one names nobody.

Hooks: `parse_ticket`. Read in repoze.who 3.1.
"""

from __future__ import annotations

from repoze.who import _auth_tkt

from retrace_core.boundary import Boundary
from retrace_core.crypto.ticket import reads_tickets

BOUNDARY = Boundary(
    kind="repoze.who",
    supports="repoze.who>=2",
    hooks=(reads_tickets(_auth_tkt, "parse_ticket", "repoze.who.ticket"),),
)
