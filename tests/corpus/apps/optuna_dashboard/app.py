"""Optuna's dashboard on SQLite, with artifacts in a folder, as its manual serves it by WSGI."""

import os

from optuna.artifacts import FileSystemArtifactStore
from optuna.storages import RDBStorage
from optuna_dashboard import wsgi

artifacts = os.environ["OPTUNA_ARTIFACTS"]
os.makedirs(artifacts, exist_ok=True)
application = wsgi(
    storage=RDBStorage(os.environ["OPTUNA_STORAGE"]),
    artifact_store=FileSystemArtifactStore(artifacts),
)
