"""The page: header, tabs, what one tab hands to the next; and the server that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.queueing import Queue
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.api import add_endpoints
from components.service.errors import WorkbenchError
from components.service.settings import HUGGING_FACE, Settings
from components.service.tasks import TASKS
from components.service.tasks.media import SAMPLES
from components.service.visitor import Visitor
from components.service.workbench import Workbench, open_workbench
from components.serving import inference_routes
from components.tabs import card, finetune, hub, playground, tokenizer
from components.tabs.context import Context, Updates
from components.tabs.guide import Guide
from components.tabs.links import open_links
from components.web.belongings import Belongings, Files
from components.web.blocks import Page
from components.web.bounds import RequestBound
from components.web.calls import show_calls
from components.web.headers import AnswerHeaders
from components.web.logs import keep_tokens_out_of_logs
from components.web.misuse import CLOSED, HANDLERS, Ended
from components.web.sessions import keep_sessions_light
from components.web.shares import Shares
from components.web.unread import Unread
from components.web.uploads import take_files_alone
from components.web.visitors import Door
from components.widgets.explain import explain
from components.widgets.guide import Opens
from components.widgets.theme import CSS, SCRIPT, theme

TITLE = "Transformers Workbench"
#: The browser keeps a card that is being written under this word, which has to be the same after a restart.
_STORED = "a card that is not published yet"
_MARK = """<svg viewBox="0 0 40 40" role="img" aria-label="A circle of five steps"><g fill="none"
stroke="var(--wb-accent)" stroke-width="4" stroke-linecap="round"><path d="M20 5a15 15 0 0 1 14 10"/><path
d="M35 22a15 15 0 0 1-9 12"/><path d="M20 35A15 15 0 0 1 7 27"/><path d="M5 20A15 15 0 0 1 13 7"/></g><circle
cx="20" cy="20" r="4.5" fill="var(--wb-accent)"/></svg>"""
_HEADER = f"""<div class="wb-header">{_MARK}<div><h1>{TITLE}</h1><p>A model from the Hub, all the way round.</p></div>
</div>"""


def build_page(bench: Workbench) -> gr.Blocks:
    """The whole page over a service."""
    page = Page(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600))
    page.queue(max_size=bench.settings.waiting_calls, default_concurrency_limit=bench.settings.calls_at_once)
    with page:
        draft = gr.BrowserState({"text": "", "subject": None}, storage_key="workbench-card", secret=_STORED)
        ctx = Context(bench, gr.State(""), draft)
        with gr.Row(elem_classes="wb-top", equal_height=False):
            with gr.Column(scale=3, min_width=320):
                gr.HTML(_HEADER, padding=False)
            with gr.Column(scale=1, min_width=280):
                header = gr.HTML(padding=False, elem_id="who")
        start = Guide()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Playground", id="playground"):
                play = playground.build(ctx, page)
            with gr.Tab("Tokenizer", id="tokenizer"):
                tok = tokenizer.build(ctx, page)
            with gr.Tab("Fine-tune", id="finetune"):
                tune = finetune.build(ctx, page)
            with gr.Tab("Model card", id="card") as shelf_of_cards:
                explain("card")
                cards = card.build(ctx, page, shelf_of_cards)
            with gr.Tab("Hub", id="hub") as shelf:
                mine = hub.build(ctx, page, header, shelf)
        _hand_over(ctx, tabs, play, tok, tune, cards, mine)
        _fill_examples(ctx, start, play, tok, tune, cards)
        named = {
            "playground": {},
            "tokenizer": {"model": tok.picker.model, "text": tok.text},
            "finetune": {"model": tune.picker.model, "dataset": tune.dataset},
            "card": {"model": cards.subject},
            "hub": {},
        }
        open_links(page, tabs, named)
        page.load(bench.engine.warm, api_visibility="private", show_progress="hidden")
        add_endpoints(bench)
    return page


def _hand_over(
    ctx: Context,
    tabs: gr.Tabs,
    play: playground.Playground,
    tok: tokenizer.Tokenizer,
    tune: finetune.Finetune,
    cards: card.Card,
    mine: hub.HubTab,
) -> None:
    """Each step hands its result to the next."""

    def go(tab: str) -> Any:
        return lambda *values: [gr.Tabs(selected=tab), *values]

    def send(button: gr.Button, tab: str, sources: list[Any], targets: list[Any]) -> Any:
        return button.click(
            go(tab), sources, [tabs, *targets], api_visibility="private", show_progress="hidden", queue=False
        )

    model, text = play.picker.model, play.text
    shown = send(play.to_tokens, "tokenizer", [model, text], [tok.picker.model, tok.text])
    tok.show_on(shown.then)
    send(play.to_finetune, "finetune", [model], [tune.picker.model])
    cards.editor.draft_on(send(play.to_card, "card", [model], [cards.subject]).then)
    _hand_over_example(ctx, tabs, play, cards)
    send(cards.to_playground, "playground", [cards.task, cards.repo], [play.task, model])
    send(mine.to_playground, "playground", [mine.task, mine.repo], [play.task, model])
    send(mine.to_tokens, "tokenizer", [mine.repo], [tok.picker.model])
    send(mine.to_finetune, "finetune", [mine.repo], [tune.picker.model])
    send(mine.to_data, "finetune", [mine.repo], [tune.dataset])
    tune.to_playground.click(
        lambda run, task: [gr.Tabs(selected="playground"), task, f"runs/{run}" if run else gr.skip()],
        [tune.runs, tune.task],
        [tabs, play.task, model],
        api_visibility="private",
        queue=False,
    )

    def card_of(visitor: Visitor, run: str | None) -> Updates:
        chosen = f"runs/{run}" if run else None
        return {
            tabs: gr.Tabs(selected="card"),
            cards.subject: gr.update(choices=cards.editor.choices(visitor), value=chosen),
        }

    drafted = ctx.wire(tune.to_card.click, card_of, [tune.runs], [tabs, cards.subject], told=cards.editor.told)
    cards.editor.draft_on(drafted.then)
    cards.editor.edit_on(send(mine.to_card, "card", [mine.repo], [cards.subject]).then)

    def see(visitor: Visitor, repo: str) -> Updates:
        return {tabs: gr.Tabs(selected="hub"), **mine.view.open(visitor, repo, "model")}

    seen = ctx.wire(cards.to_hub.click, see, [cards.repo], [tabs, *mine.view.outputs], told=cards.editor.panel.told)
    mine.view.follow(seen)


def _fill_examples(
    ctx: Context,
    start: Guide,
    play: playground.Playground,
    tok: tokenizer.Tokenizer,
    tune: finetune.Finetune,
    cards: card.Card,
) -> None:
    """What the guide opens is filled in: a step of the circle, or an example of the course."""

    def run(_visitor: Visitor, opens: Opens) -> Updates:
        return play.open_example(opens.task, opens.example)

    def look(_visitor: Visitor, opens: Opens) -> Updates:
        model = TASKS["text-classification"].default_model(ctx.bench.settings)
        return {tok.picker.model: model, tok.text: opens.text} if opens.text else {}

    def tune_it(_visitor: Visitor, opens: Opens) -> Updates:
        return tune.open_example(opens.task)

    def write(visitor: Visitor, opens: Opens) -> Updates:
        known = cards.editor.choices(visitor)
        return {cards.subject: gr.update(choices=known, value=opens.text or known[0][1])}

    fills = {"playground": run, "tokenizer": look, "finetune": tune_it, "card": write}
    outputs = [*play.opened, tok.picker.model, tok.text, *tune.opened, cards.subject]
    start.wire(ctx, fills, outputs, play.runs)


def _hand_over_example(ctx: Context, tabs: gr.Tabs, play: playground.Playground, cards: card.Card) -> None:
    """What a model was asked and what it answered becomes an example in the model's card."""

    def add(visitor: Visitor, last: dict[str, Any] | None, *card: Any) -> Updates:
        if not last or last.get("output") is None:
            raise WorkbenchError("Run something first, with a result that fits into a card.", field="inputs")
        return {tabs: gr.Tabs(selected="card"), **cards.editor.add_example(visitor, last, *card)}

    outputs = [tabs, *cards.editor.opens]
    ctx.wire(play.to_example.click, add, [play.last, *cards.editor.at_hand], outputs, told=play.told)


def health(bench: Workbench) -> Route:
    """`GET /health`: whether the app is up, without touching a model."""

    def answer(_request: Request) -> JSONResponse:
        settings = bench.settings
        return JSONResponse({"status": "ok", "hub": settings.endpoint, "worker": bench.engine.status()["alive"]})

    return Route("/health", answer)


def keepers(page: gr.Blocks, settings: Settings) -> list[Middleware]:
    """What keeps apart, in public, what visitors are given, and bounds how much each asks for at once."""
    if not settings.public:
        return []
    files = Files(Path(get_upload_folder()))
    files.open_all(page.config)
    unread = Unread(page._queue)

    def going() -> Iterator[str]:
        unread.sweep()
        return unfinished(page._queue)

    shares = Shares(settings, going)
    return [Middleware(Belongings, files=files, shares=shares)]


def unfinished(queue: Queue) -> Iterator[str]:
    """The ids of the calls that wait or are being worked on.

    Gradio's own table holds a call for some time after its answer went out: it would count against a quick caller.
    """
    for waiting in queue.event_queue_per_concurrency_id.values():
        yield from (event._id for event in waiting.queue)
    for working in queue.active_jobs:
        yield from (event._id for event in working or ())


def serve(settings: Settings) -> None:
    """Open the service, build the page, and serve both until the process is stopped."""
    keep_tokens_out_of_logs()
    keep_sessions_light()
    take_files_alone()
    show_calls()
    if settings.mcp:
        from components.web.mcp import serve_mcp  # takes a second to import

        serve_mcp()
    lender = None
    if settings.zero_gpu:
        from components.web.zerogpu import LentGpu  # has torch imported in this process

        lender = LentGpu(settings)
    bench = open_workbench(settings, lender)
    page = build_page(bench)
    try:
        page.launch(
            server_name=settings.host,
            server_port=settings.port,
            share=settings.share,
            root_path=settings.root_path or None,
            theme=theme(),
            css=CSS,
            js=SCRIPT,
            footer_links=["api"],
            mcp_server=settings.mcp,
            # Otherwise Gradio asks for its own page, and ends the app if a busy machine takes three seconds for it.
            _frontend=False,
            run_history=False,
            # Where Python is interactive, as in a notebook, it would return at once, and the service be closed.
            prevent_thread_lock=True,
            enable_monitoring=False,
            # The page comes from this process, whose rules and headers count for it, and not from one of Node's.
            ssr_mode=False,
            # A call holds a thread while it waits for the worker: those of one endpoint leave as many to the others.
            max_threads=2 * settings.calls_at_once,
            max_file_size=settings.upload_bytes,
            allowed_paths=[str(SAMPLES)],
            blocked_paths=[str(settings.home)],
            app_kwargs={
                "exception_handlers": HANDLERS,
                "routes": [*CLOSED, health(bench), *inference_routes(bench)],
                "middleware": [
                    Middleware(Ended),
                    Middleware(AnswerHeaders, hub=HUGGING_FACE if gr.utils.get_space() else ""),
                    Middleware(RequestBound, settings=settings),
                    *keepers(page, settings),
                    Middleware(Door, settings=settings),
                ],
            },
        )
        page.block_thread()
    finally:
        bench.close()
