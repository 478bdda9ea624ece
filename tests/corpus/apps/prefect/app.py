"""Prefect's server, with its services in the background off."""

from prefect.server.api.server import create_app

application = create_app(webserver_only=True)
