"""The app's own page with endpoints that do the work the stock way, in the web process.

    python -m tests.bench.stock --port PORT --home FOLDER MODEL [TASK]

`/empty` returns what it is given; `/stock` calls transformers' pipeline for each request, as many at once as the page
lets in; `/stock_in_turn` one at a time, as Gradio does where nobody says otherwise; `/stock_stream` follows `generate`.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr


def add(folder: str, task: str) -> None:
    """The endpoints, added to the page that is being built."""
    from transformers import pipeline

    pipe = pipeline(task, model=folder, device="cpu")

    def empty(value: Any) -> Any:
        return value

    def stock(text: str, parameters: dict[str, Any] | None = None) -> Any:
        return pipe(text, **(parameters or {}))

    def stock_stream(text: str, new_tokens: int) -> Iterator[str]:
        from transformers import TextIteratorStreamer

        streamer = TextIteratorStreamer(pipe.tokenizer, skip_prompt=True)
        read = pipe.tokenizer(text, return_tensors="pt")
        asked = {**read, "max_new_tokens": new_tokens, "min_new_tokens": new_tokens, "do_sample": False}
        writer = threading.Thread(target=pipe.model.generate, kwargs={**asked, "streamer": streamer})
        writer.start()
        told = ""
        for piece in streamer:
            told += piece
            yield told
        writer.join()

    # The page of the API, which shows an example of each endpoint, has none of these.
    unseen: dict[str, Any] = {"api_visibility": "undocumented"}
    gr.api(empty, api_name="empty", concurrency_limit=None, **unseen)
    gr.api(stock, api_name="stock", **unseen)
    gr.api(stock, api_name="stock_in_turn", concurrency_limit=1, **unseen)
    gr.api(stock_stream, api_name="stock_stream", concurrency_limit=1, **unseen)


def main() -> None:
    """Serve the page until the process is stopped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("task", nargs="?", default="text-classification")
    parser.add_argument("--port", required=True)
    parser.add_argument("--home", required=True)
    given = parser.parse_args()

    from components import page
    from components.service.settings import read_settings

    build = page.build_page

    def with_stock(bench: Any) -> gr.Blocks:
        blocks = build(bench)
        with blocks:
            add(given.model, given.task)
        return blocks

    page.build_page = with_stock
    settings = read_settings(os.environ, {"hub": "local", "port": given.port, "home": given.home})
    page.serve(replace(settings, embedded=True))


if __name__ == "__main__":
    main()
