"""The messages of a chat: written row by row, or as JSON."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.widgets.html import notice

ROWS = 8
_ROLES = ["system", "user", "assistant", "tool"]
_BY_ROW, _JSON = WAYS = ("Row by row", "As JSON")
EXAMPLE = [
    {"role": "system", "content": "You answer in one sentence."},
    {"role": "user", "content": "What is a token?"},
    {"role": "assistant", "content": "A token is a piece of text that a model reads as one number."},
    {"role": "user", "content": "And a tokenizer?"},
]


class MessagesForm:
    """Fields of a role and a content each, of which `count` are used; or one field of JSON."""

    def __init__(self) -> None:
        self.way = gr.Radio(WAYS, value=_BY_ROW, label="Messages", elem_id="tok-chat-way")
        self.count = gr.State(len(EXAMPLE))
        self.roles: list[gr.Dropdown] = []
        self.contents: list[gr.Textbox] = []
        with gr.Column() as self.by_row:
            self.rows = [self._row(number) for number in range(ROWS)]
            with gr.Row():
                self.add = gr.Button("Add a message", size="sm", elem_id="tok-chat-add")
                self.remove = gr.Button("Remove the last", size="sm", elem_id="tok-chat-remove")
        self.told = gr.HTML(padding=False, elem_id="tok-chat-way-told")
        self.json = gr.Code(
            language="json",
            label="Messages as JSON",
            lines=8,
            max_lines=20,
            visible=False,
            elem_id="tok-chat-json",
        )

    def _row(self, number: int) -> gr.Row:
        given = EXAMPLE[number] if number < len(EXAMPLE) else {"role": _ROLES[1 + number % 2], "content": ""}
        with gr.Row(visible=number < len(EXAMPLE), equal_height=True) as row:
            self.roles.append(
                gr.Dropdown(
                    _ROLES,
                    value=given["role"],
                    label=f"Role {number + 1}",
                    allow_custom_value=True,
                    scale=1,
                    min_width=130,
                )
            )
            self.contents.append(
                gr.Textbox(
                    value=given["content"],
                    label=f"Message {number + 1}",
                    max_lines=6,
                    scale=4,
                    min_width=220,
                    elem_id=f"tok-chat-{number + 1}",
                )
            )
        return row

    @property
    def fields(self) -> list[Any]:
        """The fields whose values `read` takes, in order."""
        return [self.way, self.count, self.json, *self.roles, *self.contents]

    def wire(self) -> None:
        """Add and remove rows, and go over from rows to JSON and back."""
        quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        self.add.click(lambda count: _counted(count + 1), self.count, [self.count, *self.rows], **quiet)
        self.remove.click(lambda count: _counted(count - 1), self.count, [self.count, *self.rows], **quiet)
        outputs = [self.way, self.count, self.by_row, self.json, self.told, *self.roles, *self.contents, *self.rows]
        self.way.input(gone_over, self.fields, outputs, **quiet)

    @staticmethod
    def read(way: str, count: int, typed: str | None, *values: Any) -> list[dict[str, Any]]:
        """The messages as the service takes them.

        Raises:
            WorkbenchError: The JSON is none.
        """
        if way == _JSON:
            return read_json(typed, "messages")
        return _messages(count, *values)


def read_json(typed: str | None, what: str) -> list[Any]:
    """A list in JSON, empty for an empty text."""
    try:
        value = json.loads(typed or "[]")
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise WorkbenchError(f"The {what} are not JSON: {told}.", field=what) from None
    if not isinstance(value, list):
        raise WorkbenchError(f"The {what} have to be a list, in square brackets.", field=what)
    return value


def _messages(count: int, *values: Any) -> list[dict[str, Any]]:
    pairs = zip(values[:ROWS], values[ROWS:], strict=True)
    return [{"role": role or "", "content": content or ""} for role, content in list(pairs)[:count]]


def _counted(count: int) -> list[Any]:
    kept = max(1, min(ROWS, count))
    return [kept, *(gr.update(visible=number < kept) for number in range(ROWS))]


def gone_over(way: str, count: int, typed: str | None, *values: Any) -> list[Any]:
    """From rows to JSON or back: what was written in the one is carried over to the other.

    Returns:
        Updates of the way, the number of rows, the column of rows, the JSON, what is told, the roles, the contents
        and the rows.
    """
    kept = [gr.skip()] * (3 * ROWS)
    if way == _JSON:
        rows = json.dumps(_messages(count, *values), indent=2, ensure_ascii=False)
        return [way, count, gr.update(visible=False), gr.update(visible=True, value=rows), "", *kept]
    try:
        messages = read_rows(typed)
    except WorkbenchError as error:
        told = notice(error.message, "warning")
        return [_JSON, count, gr.update(visible=False), gr.update(visible=True), told, *kept]
    filled = [*messages, *({"role": "user", "content": ""} for _ in range(ROWS - len(messages)))]
    return [
        way,
        len(messages),
        gr.update(visible=True),
        gr.update(visible=False),
        "",
        *(one["role"] for one in filled),
        *(one["content"] for one in filled),
        *(gr.update(visible=number < len(messages)) for number in range(ROWS)),
    ]


def read_rows(typed: str | None) -> list[dict[str, str]]:
    """Messages in JSON that the rows can hold.

    Raises:
        WorkbenchError: The JSON is none, or has what no row has a field for.
    """
    messages = read_json(typed, "messages")
    plain = all(
        isinstance(one, dict) and set(one) == {"role", "content"} and all(isinstance(v, str) for v in one.values())
        for one in messages
    )
    if not plain or not 1 <= len(messages) <= ROWS:
        raise WorkbenchError(
            f"These messages stay JSON: rows hold 1 to {ROWS} messages of a role and a text, and nothing else.",
            field="messages",
        )
    return messages
