"""TensorBoard: losses, texts, histograms and parameters of two runs (Werkzeug, gRPC)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Write what two runs of a training would have written."""
    place.run(str(place.python), str(place.here / "write_runs.py"), str(place.state / "logs"))


def drive(visitor: Visitor) -> None:
    """Look at each board, download series, compare parameters, ask for what isn't there."""
    visitor.get("/")
    visitor.get("/data/environment")
    visitor.get("/data/logdir")
    visitor.get("/data/plugins_listing")
    visitor.get("/data/runs")
    visitor.get("/data/window_properties")
    visitor.get("/data/notifications", 302)
    plugin = "/data/plugin"
    visitor.get(f"{plugin}/timeseries/tags")
    series = [
        {"plugin": "scalars", "tag": "loss"},
        {"plugin": "scalars", "tag": "accuracy"},
        {"plugin": "histograms", "tag": "weights", "run": "first"},
        {"plugin": "images", "tag": "sample", "run": "first", "sample": 0},
        {"plugin": "absent", "tag": "loss"},
    ]
    asked = visitor.post(f"{plugin}/timeseries/timeSeries", data={"requests": json.dumps(series)})
    images = asked.json()[3].get("runToSeries", {}).get("first", [])
    if images:
        blob = urlencode({"imageId": images[0]["imageId"]})
        visitor.get(f"{plugin}/timeseries/imageData?{blob}")
    visitor.get(f"{plugin}/timeseries/timeSeries", 400)
    visitor.get(f"{plugin}/timeseries/timeSeries?requests=none", 400)
    visitor.get(f"{plugin}/scalars/tags")
    visitor.get(f"{plugin}/scalars/scalars?run=first&tag=loss")
    visitor.get(f"{plugin}/scalars/scalars?run=second&tag=accuracy&format=csv")
    visitor.get(f"{plugin}/scalars/scalars?run=third&tag=loss", 404)
    visitor.get(f"{plugin}/scalars/scalars?run=first", 400)
    runs = {"tag": "loss", "runs": ["first", "second"]}
    visitor.post(f"{plugin}/scalars/scalars_multirun", data=runs)
    visitor.get(f"{plugin}/scalars/scalars_multirun", 405)
    visitor.get(f"{plugin}/images/tags")
    visitor.get(f"{plugin}/images/images?run=first&tag=sample&sample=0")
    visitor.get(f"{plugin}/histograms/tags")
    visitor.get(f"{plugin}/histograms/histograms?run=first&tag=weights")
    visitor.get(f"{plugin}/distributions/distributions?run=second&tag=weights")
    visitor.get(f"{plugin}/text/tags")
    visitor.get(f"{plugin}/text/text?run=first&tag=notes")
    visitor.get(f"{plugin}/pr_curves/tags")
    visitor.get(f"{plugin}/pr_curves/pr_curves?run=third&tag=curve", 400)
    visitor.post(f"{plugin}/hparams/experiment", json={"experimentName": ""})
    sessions = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [{"hparam": "rate", "order": "ORDER_ASC"}],
        "startIndex": 0,
        "sliceSize": 10,
    }
    visitor.post(f"{plugin}/hparams/session_groups", json=sessions)
    visitor.get(f"{plugin}/custom_scalars/layout")
    visitor.get(f"{plugin}/custom_scalars/scalars?tag=lo.*&run=first")
    visitor.get(f"{plugin}/graphs/info")
    visitor.get(f"{plugin}/projector/runs")
    visitor.get("/experiment/defaultExperimentId/data/runs")
    visitor.get("/favicon.ico", 404)
    visitor.get("/nowhere", 404)


APP = Application(
    name="tensorboard",
    framework="Werkzeug",
    uses=("gRPC", "files"),
    packages=("tensorboard==2.21.0", "numpy==2.4.6", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
