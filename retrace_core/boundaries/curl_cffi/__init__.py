"""Boundaries of curl_cffi's modules."""
