"""repoze.who, which TurboGears authenticates by."""
