"""The partner who ships: a REST API with a key, signed bodies, retries."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

_session = requests.Session()
_session.mount(
    "http://",
    HTTPAdapter(
        max_retries=Retry(
            total=2, backoff_factor=0.05, status_forcelist=[503], allowed_methods=None
        )
    ),
)


class PartnerError(Exception):
    pass


def call(method, path, body=None):
    raw = json.dumps(body or {}, sort_keys=True, default=str).encode()
    moment = str(int(time.time()))
    signature = hmac.new(
        settings.PARTNER_API_KEY.encode(), moment.encode() + b"." + raw, hashlib.sha256
    )
    answer = _session.request(
        method,
        settings.PARTNER_URL + path,
        data=raw,
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings.PARTNER_API_KEY}",
            "Idempotency-Key": str(uuid.uuid4()),
            "X-Signature": f"t={moment},v1={signature.hexdigest()}",
        },
        timeout=5,
    )
    if answer.status_code >= 400:
        raise PartnerError(f"{answer.status_code}: {answer.text}")
    return answer.json()
