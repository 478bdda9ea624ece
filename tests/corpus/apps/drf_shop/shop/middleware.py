"""Each answer has a request id and how long it took."""

from __future__ import annotations

import logging
import threading
import time
import uuid

logger = logging.getLogger("shop.access")
current = threading.local()


class RequestIdMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        began = time.perf_counter()
        current.request_id = request.headers.get("X-Request-ID") or uuid.uuid4().hex
        response = self.get_response(request)
        response["X-Request-ID"] = current.request_id
        took = (time.perf_counter() - began) * 1000
        response["Server-Timing"] = f"app;dur={took:.2f}"
        logger.info("%s %s %s %.1f", request.method, request.path, response.status_code, took)
        return response
