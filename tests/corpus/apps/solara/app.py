"""A page of widgets: Solara renders it on the server, and its server is Starlette."""

import os
import random
import time

import solara

word = solara.reactive("lemons")
os.environ.setdefault("SOLARA_TELEMETRY_MIXPANEL_ENABLE", "False")


@solara.component
def Shop():
    """What there is to buy."""
    count, set_count = solara.use_state(0)
    solara.Title("Shop")
    solara.InputText("Word", value=word)
    solara.Button(f"Bought {count}", on_click=lambda: set_count(count + 1))
    solara.Markdown(f"**{word.value}** at {time.time():.3f}, {random.random():.6f}")


@solara.component
def About():
    """Who we are."""
    solara.Title("About")
    solara.Text("A shop of fruit")


routes = [
    solara.Route(path="/", component=Shop, label="Shop"),
    solara.Route(path="about", component=About, label="About"),
]
