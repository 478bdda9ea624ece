"""Four functions with forms, a queue, streaming and state, as Gradio's guides have them."""

import time

import gradio as gr
from fastapi import FastAPI


def greet(name: str, intensity: int) -> str:
    """Greet."""
    if not name:
        raise gr.Error("a name is needed")
    return "Hello, " + name + "!" * int(intensity)


def count(limit: int):
    """Count, slowly."""
    for number in range(int(limit)):
        time.sleep(0.01)
        yield f"{number} at {time.time():.0f}"


def measure(path: str) -> str:
    """Measure a file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return f"{len(text.split())} words"


def remember(item: str, items: list[str]):
    """Remember."""
    items = [*items, item]
    return ", ".join(items), items


with gr.Blocks(title="Corpus") as demo:
    name, intensity, greeting = gr.Textbox(), gr.Slider(1, 5, step=1), gr.Textbox()
    gr.Button("Greet").click(greet, [name, intensity], greeting, api_name="greet")
    limit, counted = gr.Number(), gr.Textbox()
    gr.Button("Count").click(count, limit, counted, api_name="count")
    file, words = gr.File(), gr.Textbox()
    gr.Button("Measure").click(measure, file, words, api_name="measure")
    item, kept, state = gr.Textbox(), gr.Textbox(), gr.State([])
    gr.Button("Keep").click(remember, [item, state], [kept, state], api_name="remember")
    table = gr.Dataframe(value=[["Ada", 1815], ["Grace", 1906]], headers=["name", "born"])
    table.change(lambda rows: len(rows), table, greeting, api_name="rows", queue=False)

application = gr.mount_gradio_app(FastAPI(), demo, path="/")
