"""PyJWT."""
