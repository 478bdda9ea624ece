"""A dashboard of sales: Dash, with callbacks, a table in SQLite, uploads and downloads."""

import base64
import datetime
import os
import random
import sqlite3
import uuid
from pathlib import Path

from dash import Dash, Input, Output, Patch, State, ctx, dash_table, dcc, html, no_update
from dash.exceptions import PreventUpdate

FILE = Path(os.environ["CORPUS_STATE"]) / "sales.db"

app = Dash(__name__, title="Sales", suppress_callback_exceptions=True)
server = app.server
server.secret_key = os.urandom(24)


def asked(sql, *given):
    """Return the rows of a statement."""
    with sqlite3.connect(FILE) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sales (fruit TEXT, n INTEGER, day TEXT)")
        return connection.execute(sql, given).fetchall()


def layout():
    """Return the page, made for each visitor."""
    return html.Div(
        [
            dcc.Store(id="visit", data=str(uuid.uuid4())),
            dcc.Dropdown(["lemon", "plum", "pear"], "lemon", id="fruit"),
            dcc.Input(id="n", type="number"),
            html.Button("Sell", id="sell"),
            dcc.Graph(id="graph"),
            dash_table.DataTable(id="rows"),
            dcc.Upload(id="upload"),
            html.Div(id="said"),
            dcc.Download(id="download"),
            html.P(f"Opened {datetime.datetime.now():%H:%M:%S.%f}"),
        ]
    )


app.layout = layout


@app.callback(
    Output("said", "children"),
    Input("sell", "n_clicks"),
    State("fruit", "value"),
    State("n", "value"),
)
def sell(clicks, fruit, n):
    """Write a sale down."""
    if not clicks:
        raise PreventUpdate
    asked("INSERT INTO sales VALUES (?, ?, ?)", fruit, int(n), datetime.date.today().isoformat())
    return f"Sold {n} of {fruit}, number {random.randrange(10**6)} ({ctx.triggered_id})"


@app.callback(Output("graph", "figure"), Output("rows", "data"), Input("fruit", "value"))
def show(fruit):
    """Draw what was sold."""
    rows = asked("SELECT day, sum(n) FROM sales WHERE fruit = ? GROUP BY day", fruit)
    figure = {"data": [{"x": [row[0] for row in rows], "y": [row[1] for row in rows]}]}
    return figure, [{"day": day, "n": n} for day, n in rows]


@app.callback(
    Output("upload", "children"), Input("upload", "contents"), State("upload", "filename")
)
def take(contents, name):
    """Keep a file."""
    if contents is None:
        return no_update
    content = base64.b64decode(contents.split(",")[1])
    (FILE.parent / Path(name).name).write_bytes(content)
    return f"{name}: {len(content)} bytes, {len(list(FILE.parent.iterdir()))} files"


@app.callback(Output("download", "data"), Input("download", "base64"))
def give(_):
    """Hand out all sales."""
    rows = asked("SELECT * FROM sales")
    return dcc.send_string("\n".join(map(repr, rows)), f"sales-{datetime.date.today()}.txt")


@app.callback(Output("rows", "style_data"), Input("rows", "active_cell"))
def mark(cell):
    """Change a part of what is shown."""
    patch = Patch()
    patch["color"] = "red" if cell else "black"
    return patch
