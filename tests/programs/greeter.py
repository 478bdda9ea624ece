"""A program whose application is made in its main, of its arguments; it has no name to import."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Lock:
    """What is held while the server runs."""

    held = False

    def __enter__(self) -> None:
        self.held = True

    def __exit__(self, *_: object) -> None:
        self.held = False


def made(words: str, lock: Lock) -> Callable[[], bytes]:
    """Return what answers a request: arguments, start-up, and the present."""
    booted = secrets.token_hex(4)
    return lambda: f"{words} {booted} {time.time()} held={lock.held}".encode()


def wsgi(answer: Callable[[], bytes]) -> Any:
    """Return a WSGI application of no framework."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer()]

    return application


def asgi(answer: Callable[[], bytes], *, says_begun: bool = False) -> Any:
    """Return an ASGI application of no framework; it may say how often it was begun."""
    begun: list[None] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            begun.append(None)
            for step in ("startup", "shutdown"):  # until then it is not left: by a signal, say
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        said = b" begun=%d" % len(begun) if says_begun else b""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer() + said})

    return application


def flask(answer: Callable[[], bytes]) -> Any:
    """Return Flask's, with something of none around it."""
    import flask as framework
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = framework.Flask("greeter")
    app.add_url_rule("/", view_func=answer)
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    return ProxyFix(app)


def serve(server: str, port: int, answer: Callable[[], bytes]) -> None:
    """Serve by one of the servers, and return when it has ended."""
    if server == "uvicorn":
        import uvicorn

        uvicorn.run(asgi(answer), port=port)
    elif server == "uvicorn-in-loop":
        import uvicorn

        async def main() -> None:
            await uvicorn.Server(uvicorn.Config(asgi(answer), port=port)).serve()

        asyncio.run(main())
    elif server == "uvicorn-in-parts":
        import uvicorn

        app = asgi(answer, says_begun=True)
        asyncio.run(_in_parts(uvicorn.Server(uvicorn.Config(app, port=port))))
    elif server == "hypercorn":
        from hypercorn.asyncio import serve as hypercorn_serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        asyncio.run(hypercorn_serve(asgi(answer), config))
    elif server in ("granian", "granian-wsgi"):
        from granian import Granian
        from granian.constants import Interfaces

        kind = Interfaces.WSGI if server == "granian-wsgi" else Interfaces.ASGI
        loaded = wsgi(answer) if kind is Interfaces.WSGI else asgi(answer)
        granian = Granian("it", address="127.0.0.1", port=port, interface=kind)
        granian.serve(target_loader=lambda *_: loaded, wrap_loader=False)
    elif server == "waitress":
        import waitress

        waitress.serve(wsgi(answer), host="127.0.0.1", port=port)
    elif server == "werkzeug":
        from werkzeug.serving import run_simple

        run_simple("127.0.0.1", port, wsgi(answer))
    elif server == "wsgiref":
        from wsgiref.simple_server import make_server as wsgiref_server

        look_around(port)
        wsgiref_server("127.0.0.1", port, wsgi(answer)).serve_forever()
    elif server == "one-by-one":
        from wsgiref.simple_server import make_server as wsgiref_server

        made_server = wsgiref_server("127.0.0.1", port, wsgi(answer))
        while True:
            made_server.handle_request()
    elif server == "paste":
        from paste import httpserver

        httpserver.serve(wsgi(answer), host="127.0.0.1", port=port)
    elif server == "gevent":
        from gevent.pywsgi import WSGIServer

        WSGIServer(("127.0.0.1", port), wsgi(answer)).serve_forever()
    elif server == "twisted":
        from twisted.internet import reactor
        from twisted.web.server import Site
        from twisted.web.wsgi import WSGIResource

        site: Any = Site(WSGIResource(reactor, reactor.getThreadPool(), wsgi(answer)))  # type: ignore[attr-defined]
        reactor.listenTCP(port, site, interface="127.0.0.1")  # type: ignore[attr-defined]
        reactor.run()  # type: ignore[attr-defined]
    elif server in ("own", "own-thread"):
        from tests.programs.own_server import serve as own_serve

        own_serve(port, flask(answer), in_thread=server == "own-thread")
    elif server == "own-two":
        from tests.programs.own_server import serve as own_serve

        other = flask(answer)
        own_serve(port, flask(answer))
        other({}, print)
    elif server == "flask":
        from werkzeug.serving import run_simple

        run_simple("127.0.0.1", port, flask(answer))
    elif server == "cheroot":
        from cheroot.wsgi import Server

        Server(("127.0.0.1", port), wsgi(answer)).start()
    elif server == "rocket3":
        from rocket3 import Rocket3  # type: ignore[import-untyped]

        Rocket3(("127.0.0.1", port), "wsgi", {"wsgi_app": wsgi(answer)}).start()
    elif server == "tornado":
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop
        from tornado.wsgi import WSGIContainer

        HTTPServer(WSGIContainer(wsgi(answer))).listen(port, "127.0.0.1")
        IOLoop.current().start()
    elif server == "daphne":
        from daphne.endpoints import build_endpoint_description_strings
        from daphne.server import Server as Daphne

        places = build_endpoint_description_strings(host="127.0.0.1", port=port)
        Daphne(asgi(answer), endpoints=places, signal_handlers=False).run()
    elif server == "gunicorn":
        _gunicorn(port, wsgi(answer))
    else:
        raise SystemExit(f"no such server: {server}")


async def _in_parts(server: Any) -> None:
    """Serve as Streamlit does: it has the parts of the server in its own hands."""
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    with server.capture_signals():
        await server.startup()
        await server.main_loop()
        await server.shutdown()


def look_around(port: int) -> None:
    """See whether the port is free, and say in a file that this runs: as TensorBoard does."""
    with socket.socket() as knocking:
        if knocking.connect_ex(("127.0.0.1", port)) == 0:
            raise SystemExit(f"port {port} is in use")
    with tempfile.NamedTemporaryFile("w") as file:
        os.chmod(file.name, 0o644)
        file.write(str(port))


def _gunicorn(port: int, app: Any) -> None:
    from gunicorn.app.base import BaseApplication

    class Program(BaseApplication):  # type: ignore[misc]  # it is not typed
        def load_config(self) -> None:
            self.cfg.set("bind", f"127.0.0.1:{port}")

        def load(self) -> Any:
            return app

    Program().run()


def main() -> None:
    """Make the application, and serve it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--greeting", type=Path)
    parser.add_argument("--api-token", default="")
    given = parser.parse_args()
    lock = Lock()
    with lock:
        serve(given.server, given.port, made(f"{given.greeting} {given.api_token}", lock))


if __name__ == "__main__":
    main()
