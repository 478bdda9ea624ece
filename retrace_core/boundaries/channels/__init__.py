"""Channels: Django over web sockets, and messages between its processes."""
