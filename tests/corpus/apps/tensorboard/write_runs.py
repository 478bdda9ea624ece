"""Write two runs of a training as a program would: losses, texts, histograms, a picture."""

import io
import sys

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

_START = 1767225600.0

for number, run in enumerate(("first", "second")):
    chance = np.random.default_rng(number)
    writer = EventFileWriter(f"{sys.argv[1]}/{run}")

    def write(summary: summary_pb2.Summary, step: int, writer: EventFileWriter = writer) -> None:
        writer.add_event(event_pb2.Event(wall_time=_START + step, step=step, summary=summary))

    write(hparams_pb({"rate": 0.1 / (number + 1), "layers": 3, "kind": "dense"}, trial_id=run), 0)
    write(text_pb("notes", f"The *{run}* run, see [the list](http://example.com)"), 0)
    encoded = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(encoded, "PNG")
    image = summary_pb2.Summary.Image(
        height=40, width=40, colorspace=3, encoded_image_string=encoded.getvalue()
    )
    write(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="sample", image=image)]), 0)
    for step in range(50):
        write(scalar_pb("loss", 1 / (step + 1) + number), step)
        write(scalar_pb("accuracy", 1 - 1 / (step + 2)), step)
        write(histogram_pb("weights", chance.normal(size=100)), step)
    writer.close()
