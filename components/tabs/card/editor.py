"""Opening a card, and letting everything beside its text follow it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from components.service.cards.document import CARD_BYTES
from components.service.cards.encoding import opened
from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.card.document import Document
from components.tabs.card.form import CardForm
from components.tabs.card.publish import PublishPanel
from components.tabs.card.views import Changes, Findings, Lacking, Preview, Sources
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.run_view import run_title

#: Stands for the last draft once the visitor has been asked whether to replace their own changes.
_REPLACE = "\0"
#: Stands for the last draft while the text that was left is on its way to the editor.
_ARRIVING = "\1"
_TEMPLATE = ("An empty card: the template", "template")
#: What stands over the card of a run, whose own name is a long number.
_UNPUBLISHED = "Not published yet"
_NOWHERE = {"repo": "", "commit": ""}


@dataclass
class Editor:
    """The text and what follows it. `drafted` is the text as it was put there last, to know the visitor's own."""

    ctx: Context
    subject: gr.Dropdown
    told: gr.HTML
    document: Document
    form: CardForm
    findings: Findings
    lacking: Lacking
    sources: Sources
    changes: Changes
    preview: Preview
    panel: PublishPanel

    def __post_init__(self) -> None:
        self.drafted = gr.State("")
        #: What the subject was when the page was left, or the first one on offer; on its way to the field.
        self.stored = gr.Textbox(visible=False)
        self._opened = [self.document.editor, self.drafted, self.document.before, self.sources.given, self.panel.origin]
        self._following = [
            *(self.ctx.draft, self.drafted),
            *self.findings.outputs,
            *(self.lacking.shown, self.changes.shown, self.changes.code),
            *(self.preview.header, self.preview.text, self.preview.beside),
            *(self.form.told, *self.form.outputs),
        ]

    def wire(self, page: gr.Blocks, shelf: gr.Tab, draft: gr.Button, file: gr.UploadButton) -> Any:
        """Open what was written before, what is asked for, or a file; follow the text.

        Returns:
            What happens once the subject is there that was left, for `.then`.
        """
        wire, told = self.ctx.wire, self.told
        quiet: dict[str, Any] = {"told": told, "clears": False, "show_progress": "hidden"}
        outputs = [self.subject, self.stored, *self._opened, self.panel.repo]
        unlocked = {self.document.editor: gr.update(interactive=True)}
        loaded = wire(page.load, self._restore, [self.ctx.draft], outputs, failed=unlocked, **quiet)
        # What somebody has chosen meanwhile stays.
        subject = {"inputs": [self.stored, self.subject], "outputs": [self.subject], "api_visibility": "private"}
        restored = loaded.then(None, js="(stored, now) => now || stored || null", **subject)
        wire(shelf.select, self.form.offer, [], list(self.form.fields.values()), **quiet)
        seen = [
            self.subject,
            self.sources.given,
            self.form.filled,
            self.form.section,
            self.panel.repo,
            self.panel.origin,
        ]
        # One after the other, whichever of them changes: an answer about the text before may not come in last.
        changed = partial(gr.on, [self.document.editor.change, self.document.before.change])
        followed = [self.drafted, self.stored, *self.document.fields, *seen]
        wire(changed, self._follow, followed, self._following, trigger_mode="always_last", **quiet)
        opened = [*self._opened, self.subject, self.stored]
        wire(file.upload, self._open_file, [file, *self.document.fields, self.drafted], opened, told=told)
        self.draft_on(draft.click)
        return restored

    def draft_on(self, event: Any) -> Any:
        """Draft the card of the subject on `event`."""
        return self.ctx.wire(event, self._draft, self.at_hand, self._opened, told=self.told)

    def edit_on(self, event: Any) -> Any:
        """Open the card of a repository, to publish it there again, on `event`."""
        outputs = [*self._opened, self.panel.repo]
        return self.ctx.wire(event, self._load, self.at_hand, outputs, told=self.told)

    @property
    def at_hand(self) -> list[Any]:
        """What is open: the fields that `add_example` takes after the result."""
        return [self.subject, *self.document.fields, self.drafted]

    @property
    def opens(self) -> list[Any]:
        """What `add_example` updates."""
        return [self.subject, *self._opened, self.told]

    def add_example(
        self,
        visitor: Visitor,
        last: dict[str, Any],
        subject: str | None,
        text: str | None,
        before: dict[str, Any],
        drafted: str,
    ) -> Updates:
        """Put what a model was asked and what it answered into its card, which is opened where another one is.

        Args:
            last: `{"task", "model", "inputs", "output", "parameters"}`.
        """
        card, model, updates = self.document.read(text, before), last["model"], {}
        if subject != model or not card.strip():
            if asked := self._own(text, before, drafted, "On the Playground tab, press Add to its card"):
                return asked
            updates = {self.subject: model, **self._begun(visitor, model)}
            card = updates[self.document.editor]
        made = self.ctx.bench.cards.add_example(card, last["task"], last["inputs"], last["output"], last["parameters"])
        return {**updates, self.document.editor: made["text"]}

    def choices(self, visitor: Visitor) -> list[tuple[str, str]]:
        """The visitor's runs that have a model, and the template."""
        runs = self.ctx.bench.runs.list(visitor=visitor)
        return [*((run_title(run), run["model"]) for run in runs if run["model"]), _TEMPLATE]

    def _restore(self, visitor: Visitor, stored: dict[str, Any] | None) -> Updates:
        stored = stored or {}
        subjects = self.choices(visitor)
        # A file that was opened is a card of none of them.
        chosen = stored["subject"] if stored.get("text") and "subject" in stored else subjects[0][1]
        subject = {self.subject: gr.update(choices=subjects), self.stored: chosen or ""}
        if not stored.get("text"):
            return {**subject, self.document.editor: gr.update(interactive=True)}
        before = stored.get("before") or {"text": "", "named": ""}
        return {
            **subject,
            self.document.editor: gr.update(value=stored["text"], interactive=True),
            self.drafted: _ARRIVING,
            self.document.before: before,
            self.sources.given: stored.get("sources"),
            # Without the commit that it was made from, publishing would overwrite what others have changed since.
            self.panel.origin: stored.get("origin") or dict(_NOWHERE),
            self.panel.repo: stored.get("repo") or "",
        }

    def _own(self, text: str | None, before: dict[str, Any], drafted: str, again: str) -> Updates | None:
        """What asks whether the visitor's own changes may go; None where there are none, or they may."""
        card = self.document.read(text, before)
        # What a file or a repository holds is not lost.
        if not card.strip() or card == before["text"] or drafted in (card, _REPLACE):
            return None
        said = f"The text has changes of yours. {again} again to replace them."
        return {self.drafted: _REPLACE, self.told: html.notice(said, "warning")}

    def _draft(
        self, visitor: Visitor, chosen: str | None, text: str | None, before: dict[str, Any], drafted: str
    ) -> Updates:
        if not chosen:
            raise WorkbenchError("Choose a finished run, or type a model id.", field="model")
        return self._own(text, before, drafted, "Press Draft") or self._begun(visitor, chosen)

    def _begun(self, visitor: Visitor, chosen: str) -> Updates:
        """The card of a run, of a model, or of neither."""
        if not chosen.startswith("runs/") and chosen != _TEMPLATE[1]:
            return self._card_of(visitor, chosen)
        made = self.ctx.bench.cards.draft(chosen, visitor=visitor)
        return self._open(made["text"], "the draft", made["sources"])

    def _load(
        self, visitor: Visitor, repo: str | None, text: str | None, before: dict[str, Any], drafted: str
    ) -> Updates:
        if not repo:
            return {}
        asked = self._own(text, before, drafted, "On the Hub tab, press Edit its card")
        return asked or {**self._card_of(visitor, repo), self.panel.repo: repo}

    def _card_of(self, visitor: Visitor, repo: str) -> Updates:
        """The card that stands in a repository, or a first one."""
        card = self.ctx.bench.repositories.repo_card(repo, visitor=visitor)
        origin = {"repo": repo, "commit": card["commit"]}
        if card["text"]:
            named = f"what {repo} holds at {card['commit'][:7]}"
            return self._open(card["text"], named, None, origin, card["remark"])
        made = self.ctx.bench.cards.draft(repo, visitor=visitor)
        return self._open(made["text"], "the draft", made["sources"], origin)

    def _open_file(
        self, _visitor: Visitor, path: str | None, text: str | None, before: dict[str, Any], drafted: str
    ) -> Updates:
        if not path:
            return {}
        if asked := self._own(text, before, drafted, "Open the file"):
            return asked
        content = Path(path).read_bytes()[: CARD_BYTES + 1]
        if len(content) > CARD_BYTES:
            raise WorkbenchError(f"The file is longer than the {CARD_BYTES:,} bytes of a card.", field="file")
        card = opened(content)
        # The card of a file is not that of the run that was chosen before: its model is not published with it.
        updates = self._open(card.text, f"the file {Path(path).name}", None, remark=card.remark)
        return {**updates, self.subject: None, self.stored: ""}

    def _open(
        self,
        text: str,
        named: str,
        sources: list[Any] | None,
        origin: dict[str, str] = _NOWHERE,
        remark: str = "",
    ) -> Updates:
        before = {"text": text, "named": named, "remark": remark, "id": uuid4().hex}
        values = (text, text, before, sources, dict(origin))
        return {**dict(zip(self._opened, values, strict=True)), self.told: html.notice(remark, "warning")}

    def _follow(
        self,
        _visitor: Visitor,
        drafted: str,
        left: str | None,
        text: str | None,
        before: dict[str, Any],
        subject: str | None,
        sources: list[Any] | None,
        filled: dict[str, Any],
        section: str | None,
        repo: str | None,
        origin: dict[str, str],
    ) -> Updates:
        text, cards = self.document.read(text, before), self.ctx.bench.cards
        if drafted == _ARRIVING and not text.strip():
            return {}  # what the browser keeps is the text that is on its way
        subject = subject or left or None  # which may be on its way, too
        kept = {"text": text, "subject": subject, "before": before, "sources": sources, "origin": origin, "repo": repo}
        stored = {self.ctx.draft: kept, **({self.drafted: ""} if drafted == _ARRIVING else {})}
        if not text.strip():
            blank = {self.lacking.shown: html.empty("There is no card yet.")}
            empty = {**self.findings.empty(), **self.preview.empty(), **self.form.show("", [], before, filled, section)}
            return {**stored, **blank, **empty, **self.changes.show("", before, "")}
        problems = cards.check(text)
        shown = {**stored, **self.findings.show(text, problems)}
        if len(text.encode("utf-8", "replace")) > CARD_BYTES:
            return shown
        name = repo or (subject if subject != _TEMPLATE[1] else "") or ""
        heading = _UNPUBLISHED if name.startswith("runs/") else name or "README.md"
        results = cards.card_results(text)["rows"]
        return {
            **shown,
            **self.lacking.show(text, problems),
            **self.changes.show(text, before, name),
            **self.preview.show(text, heading, results),
            **self.form.show(text, results, before, filled, section),
        }
