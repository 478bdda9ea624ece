"""WsgiDAV as its manual has it for any WSGI server, with the middleware around it."""

import os

from wsgidav.wsgidav_app import WsgiDAVApp

from retrace_mw import RetraceMiddleware

application = RetraceMiddleware(
    WsgiDAVApp(
        {
            "provider_mapping": {"/": f"{os.environ['CORPUS_STATE']}/share"},
            "simple_dc": {"user_mapping": {"*": {"ann": {"password": "secret"}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": True},
            "property_manager": True,
            "lock_storage": True,
            "dir_browser": {"enable": True},
            "logging": {"enable": False},
        }
    )
)
