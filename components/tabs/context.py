"""What every tab is given: the service, the visitor's session, and the one way to wire an event to a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import SORRY, log, tellable
from components.service.visitor import Visitor
from components.service.workbench import Workbench
from components.tabs.labels import in_labels, title_of
from components.web.visitors import Kept, kept, visitor_of
from components.widgets.html import notice

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Context:
    """The page's surroundings.

    Attributes:
        bench: The service.
        token: What is kept of the token that the visitor pasted, in their session only. A function sets it by giving
            the token itself.
        draft: The card that is being written, `{"text", "subject"}`, kept in the visitor's browser.
    """

    bench: Workbench
    token: gr.State
    draft: gr.BrowserState

    def visitor(self, request: gr.Request, token: Kept) -> Visitor:
        """The visitor behind an event of the page."""
        return visitor_of(self.bench.hub, request, token)

    def _bound(self, request: gr.Request, updates: Updates) -> Updates:
        """The updates, with a token that was pasted bound to who pasted it."""
        return {**updates, self.token: kept(updates[self.token], request)} if self.token in updates else updates

    def wire(
        self,
        event: Callable[..., Any],
        function: Callable[..., Any],
        inputs: list[Component],
        outputs: list[Any],
        *,
        told: Component,
        clears: bool = True,
        detailed: bool = False,
        failed: Updates | None = None,
        **options: Any,
    ) -> Any:
        """Call `function(visitor, *values of inputs)` on `event`; `detailed` puts the event's own data before them.

        The function returns, or yields, a dict of component to update, over `outputs`. A `WorkbenchError` becomes a
        sentence in `told`, and everything else on the page stays as it was, but for the updates of `failed`. Otherwise
        `told` is cleared, but not by what happens beside the visitor's own action (`clears=False`): that may not wipe
        off what they have yet to read.

        Returns:
            Gradio's dependency, for `.then` and `cancels`.
        """
        options.setdefault("show_progress", "minimal")
        if options["show_progress"] == "hidden":
            # The browser goes through all components that ever had a status, at every message of every call.
            options.setdefault("show_progress_on", told)
        fresh = {told: ""} if clears else {}
        handler = self._streaming if inspect.isgeneratorfunction(function) else self._once
        called = handler(function, told, fresh, failed or {})
        return event(
            _with_data(called) if detailed else called,
            inputs=[self.token, *inputs],
            outputs=[told, *outputs],
            api_visibility="private",
            **options,
        )

    def _once(
        self, function: Callable[..., Updates], told: Component, fresh: Updates, failed: Updates
    ) -> Callable[..., Updates]:
        def handler(request: gr.Request, token: Kept, *values: Any) -> Updates:
            try:
                updates = self._bound(request, function(self.visitor(request, token), *values))
                # A handler that changes nothing still has to name an output.
                return {told: gr.skip(), **fresh, **updates}
            except Exception as error:  # noqa: BLE001  the page's boundary: a sentence, never a traceback
                return {**failed, told: _sentence(error)}

        return handler

    def _streaming(
        self, function: Callable[..., Iterator[Updates]], told: Component, fresh: Updates, failed: Updates
    ) -> Callable[..., Any]:
        def handler(request: gr.Request, token: Kept, *values: Any) -> Iterator[Updates]:
            cleared = fresh
            try:
                for updates in function(self.visitor(request, token), *values):
                    yield {told: gr.skip(), **cleared, **updates}
                    cleared = {}  # once: what is told of Stop meanwhile may not be wiped off
            except Exception as error:  # noqa: BLE001  the page's boundary: a sentence, never a traceback
                yield {**failed, told: _sentence(error)}

        return handler


def _with_data(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler with what the event itself tells as its first value; Gradio finds both by their annotations."""
    if inspect.isgeneratorfunction(handler):

        def streaming(event: gr.EventData, request: gr.Request, token: Kept, *values: Any) -> Iterator[Updates]:
            yield from handler(request, token, event._data, *values)

        return streaming

    def once(event: gr.EventData, request: gr.Request, token: Kept, *values: Any) -> Any:
        return handler(request, token, event._data, *values)

    return once


def bring_into_view(event: Callable[..., Any], elem_id: str) -> None:
    """Scroll to the results on `event`, where they lie below the form or their beginning is out of sight.

    Ask for it before what makes the results: Gradio begins a second thing on an event once the first has ended.
    """
    event(
        None,
        js=f"""() => {{
            const results = document.getElementById("{elem_id}"), {{ top }} = results.getBoundingClientRect();
            if (matchMedia("(max-width: 700px)").matches || top < 0 || top > innerHeight - 120)
                results.scrollIntoView({{ block: "start" }});
        }}""",
        api_visibility="private",
    )


def bring_back(event: Callable[..., Any], told: str) -> None:
    """Scroll to what `told` says went wrong, where `event` finds it out of sight."""
    event(
        None,
        js=f"""() => {{
            const said = document.querySelector("#{told} [role=alert]"), place = said?.getBoundingClientRect();
            if (place && (place.top < 0 || place.bottom > innerHeight)) said.scrollIntoView({{ block: "center" }});
        }}""",
        api_visibility="private",
    )


def _sentence(error: Exception) -> str:
    if (known := tellable(error)) is not None:
        said, title = in_labels(known.message), title_of(known.field or "")
        # A sentence that begins with what it is about needs no title.
        return notice(said, "error", title="" if said.startswith(title.rstrip(".")) else title)
    log.error("A defect", exc_info=error)
    return notice(SORRY, "error")
