"""The native part; everything else is in pyproject.toml.

It is optional: without a C compiler the pure Python fallback serves, and says what it misses.
"""

import sys

from setuptools import Extension, setup

NAMES = (
    *("module", "lane", "encoder", "hooks", "put_file"),
    *(
        "find_all",
        "finder",
        "texts_at",
        "hard_events",
        "hash_types",
        "kept_context",
        "lane_hook",
        "set_order",
        "watch",
    ),
)

native = Extension(
    "retrace_core._native",
    sources=[f"retrace_core/_c/{name}.c" for name in NAMES],
    depends=[f"retrace_core/_c/{name}.h" for name in NAMES[1:]],
    extra_compile_args=["-O2", "-Wall", "-Wextra", "-Wno-cast-function-type"],
    optional=True,
)
# Preloaded, not imported: gives a replayed process the hash secret of the recorded one.
hash_secret = Extension(
    "retrace_core._hash_secret", sources=["retrace_core/_c/hash_secret.c"], optional=True
)
setup(ext_modules=[native, hash_secret] if sys.platform == "linux" else [native])
