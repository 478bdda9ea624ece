"""Settings over pgAdmin's own, as its manual has them for a server."""

import os

DATA_DIR = os.environ["CORPUS_STATE"]
LOG_FILE = os.path.join(DATA_DIR, "pgadmin4.log")
SQLITE_PATH = os.path.join(DATA_DIR, "pgadmin4.db")
SESSION_DB_PATH = os.path.join(DATA_DIR, "sessions")
STORAGE_DIR = os.path.join(DATA_DIR, "storage")
AZURE_CREDENTIAL_CACHE_DIR = os.path.join(DATA_DIR, "azure")
KERBEROS_CCACHE_DIR = os.path.join(DATA_DIR, "kerberos")
SERVER_MODE = True
UPGRADE_CHECK_ENABLED = False
ENHANCED_COOKIE_PROTECTION = False
HELP_PATH = "https://www.pgadmin.org/docs/"
MINIFY_HTML = False
