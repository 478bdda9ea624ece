"""repoze, a namespace."""
