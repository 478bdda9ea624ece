"""Channels' layers: the first message of a process makes one, under a name that it draws.

What is asked and drawn for it (Redis' has a prefix for all channels of the process) is on the
boot tape, so that a later request or web socket has channels of the same names on replay.

Hook: `ChannelLayerManager.make_backend`, which is called once for each layer. Read in Channels 4.
"""

from __future__ import annotations

from channels.layers import ChannelLayerManager

from retrace_core.boundary import Boundary, Patch, filling

BOUNDARY = Boundary(
    kind="channels",
    supports="channels>=3",
    hooks=(Patch(ChannelLayerManager, "make_backend", filling),),
)
