"""Stores: where recordings live, each against the real thing or its emulator."""
