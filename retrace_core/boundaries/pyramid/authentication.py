"""Pyramid: whom a ticket in a cookie names comes from the recording; a masked one names nobody.

Hooks: `AuthTktCookieHelper.parse_ticket`, by which `AuthTktAuthenticationPolicy` asks, too. Read in
Pyramid 2.0.
"""

from __future__ import annotations

from pyramid.authentication import AuthTktCookieHelper

from retrace_core.boundary import Boundary
from retrace_core.crypto.ticket import reads_tickets

BOUNDARY = Boundary(
    kind="pyramid",
    supports="pyramid>=1.10",
    hooks=(reads_tickets(AuthTktCookieHelper, "parse_ticket", "pyramid.ticket"),),
)
