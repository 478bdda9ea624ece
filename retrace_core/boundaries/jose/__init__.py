"""python-jose."""
