"""Drafts and checks of model cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

from components.service.cards import check as checks
from components.service.cards.draft import draft_model, draft_run
from components.service.cards.examples import widget_example, with_example
from components.service.catalog import Catalog
from components.service.errors import WorkbenchError
from components.service.hub import Hub, given_id
from components.service.hub_errors import hub_errors
from components.service.runs import Runs
from components.service.runs.store import is_id
from components.service.settings import Settings
from components.service.tasks import find_task
from components.service.tasks.inputs import check_inputs
from components.service.tasks.texts import check_characters
from components.service.visitor import Visitor


class Cards:
    """Model cards of runs and of models on the Hub in use."""

    def __init__(self, settings: Settings, hub: Hub, runs: Runs) -> None:
        self.settings = settings
        self.hub = hub
        self.runs = runs

    def draft(self, run_or_model: str, repo: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """A card to go on from.

        Args:
            run_or_model: A run's id, `runs/<id>`, or the id of a model on the Hub.
            repo: Where the card will stand, `namespace/name`, if that is known.

        Returns:
            `{text, problems}`: for a run, the facts it recorded; for a model, its own card, or what the Hub knows of
            it. What is not known stays a question to the author.
        """
        name = run_or_model.strip() if isinstance(run_or_model, str) else ""
        if not name:
            raise WorkbenchError("Choose a finished run, or type a model id.", field="model")
        repo = None if repo in (None, "") else given_id(repo, "repo")
        if is_id(name.removeprefix("runs/")) and (name.startswith("runs/") or "/" not in name):
            text = draft_run(self.runs.state(name, visitor=visitor), repo)
        else:
            text = self._card_of(name, visitor) or draft_model(
                Catalog(self.hub).model_facts(name, visitor=visitor), repo or name
            )
        return {"text": text, "problems": self.check(text)}

    def check(self, text: str) -> list[dict[str, Any]]:
        """What is wrong with a card, `[{level, line, field, message, fix}]`, errors first."""
        if not isinstance(text, str):
            raise WorkbenchError("A card is text.", field="text")
        check_characters(text, "text")
        return checks.check(text)

    def add_example(
        self, text: str, task: str, inputs: Any, output: Any, parameters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Put what a model was asked, and what it answered, into a card as a widget example.

        Args:
            text: The card.
            task, inputs, parameters: As `run_task` took them.
            output: What it gave.

        Returns:
            `{text, problems}`, as of `draft`.
        """
        self.check(text)
        spec = find_task(task)
        given = spec.check_parameters(parameters, self.settings)
        example = widget_example(spec.name, check_inputs(spec, inputs, self.settings), given, output)
        made = with_example(text, example)
        return {"text": made, "problems": self.check(made)}

    def _card_of(self, model: str, visitor: Visitor) -> str | None:
        """The card that stands in a model's repository."""
        info = self.hub.model_info(model, visitor=visitor)
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
        if "README.md" not in sizes or sizes["README.md"] > self.settings.card_bytes:
            return None
        with hub_errors(model):
            path = hf_hub_download(
                model,
                "README.md",
                revision=info.sha,
                cache_dir=self.hub.cache(visitor, private=bool(info.private or info.gated)),
                token=visitor.token,
                endpoint=self.settings.endpoint,
            )
        return Path(path).read_text("utf-8", "replace")
