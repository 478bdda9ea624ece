"""Boundaries of the LaunchDarkly SDK."""
