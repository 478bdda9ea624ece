"""Beaker, the sessions of Pyramid, TurboGears and Bottle."""
