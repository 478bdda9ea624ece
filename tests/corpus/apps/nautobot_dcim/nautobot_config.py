"""What an administrator sets."""

import os
from urllib.parse import urlsplit

from nautobot.core.settings import *  # noqa: F403
from nautobot.core.settings import DATABASES

_place, _, _name = os.environ["CORPUS_POSTGRESQL"].partition("/")
_host, _, _port = _place.partition(":")
DATABASES["default"].update(
    {"HOST": _host, "PORT": _port, "NAME": _name, "USER": "postgres", "PASSWORD": "secret"}
)
_redis = os.environ["CORPUS_REDIS"].rstrip("/")
_redis = _redis if urlsplit(_redis).path == "" else _redis.rpartition("/")[0]
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"{_redis}/1",
        "TIMEOUT": 300,
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
    }
}
CELERY_BROKER_URL = f"{_redis}/0"
SECRET_KEY = "key-of-the-inventory-5k3j2h5kj23h5k2j"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLATION_METRICS_ENABLED = False
