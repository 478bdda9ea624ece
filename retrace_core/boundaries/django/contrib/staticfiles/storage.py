"""Django's static files: the first request that names one has their manifest read for all.

What is read then (`staticfiles.json`, of `ManifestStaticFilesStorage` and whatever comes down to
it) is on the boot tape, so that a later request knows the names of its files on replay, too.

Hook: `ConfiguredStorage._setup`, which is called once. Read in Django 3.2 to 5.2.
"""

from __future__ import annotations

from django.contrib.staticfiles.storage import ConfiguredStorage

from retrace_core.boundary import Boundary, Patch, filling

BOUNDARY = Boundary(
    kind="django.staticfiles",
    supports="django>=3.2",
    hooks=(Patch(ConfiguredStorage, "_setup", filling),),
)
