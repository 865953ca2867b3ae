"""Drafts and checks of model cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

from components.service import about as models
from components.service.cards import checks
from components.service.cards.checks import Problem
from components.service.cards.completeness import completeness
from components.service.cards.diff import diff_card
from components.service.cards.draft import Draft, draft_model, draft_run, draft_template
from components.service.cards.edit import edit
from components.service.cards.encoding import CardFile, read_card
from components.service.cards.eval_results import from_file, to_files
from components.service.cards.examples import widget_example, with_example
from components.service.cards.hub_checks import validate
from components.service.cards.lists import Lists
from components.service.cards.merge import merge_card
from components.service.cards.results import is_whole, read_rows, row_changes
from components.service.cards.sources import look, read_sources
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
from components.service.tokens import Tokens
from components.service.visitor import Visitor

#: Stands for no run and no model where one is asked for.
TEMPLATE_NAME = "template"
#: Most files of a repository that a card is checked against.
FILES = 20_000


def _subject(given: Any) -> str:
    """The name of a run or a model."""
    name = given.strip() if isinstance(given, str) else ""
    if not name:
        raise WorkbenchError("Choose a finished run, or type a model id.", field="model")
    return name


def _check_text(text: Any) -> None:
    """Refuse what is no text at all; what is wrong with a card is for `check` to tell."""
    if not isinstance(text, str):
        raise WorkbenchError("A card is text.", field="text")
    check_characters(text, "text")


def _remarked(card: CardFile) -> list[Problem]:
    """What a reader has to know of how a card was opened, as a finding."""
    fix = "Read these letters before you publish."
    finding = {"level": "warning", "line": card.line, "field": "card", "message": card.remark, "fix": fix}
    return [{**finding, "remedy": None}] if card.remark else []


def _is_run(name: str) -> bool:
    return is_id(name.removeprefix("runs/")) and (name.startswith("runs/") or "/" not in name)


class Cards:
    """Model cards of runs and of models on the Hub in use."""

    def __init__(self, settings: Settings, hub: Hub, runs: Runs) -> None:
        self.settings = settings
        self.hub = hub
        self.runs = runs
        self._about = models.About(hub, runs.engine)
        self._tokens = Tokens(settings, hub, runs.engine)
        self._lists = Lists(hub)

    def draft(self, run_or_model: str, repo: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """A card to go on from.

        Args:
            run_or_model: A run's id, `runs/<id>`, the id of a model on the Hub, or `template` for a card of neither.
            repo: Where the card will stand, `namespace/name`, if that is known.

        Returns:
            `{text, problems, sources}`: for a run, the facts it recorded; for a model, its own card, or what its files
            say. What is not known stays a question to the author. `sources` are `[{"field" or "section", "value",
            "fact", "from"}]`, what was filled in and where it comes from; a card that was there already has none.
        """
        name = _subject(run_or_model)
        repo = None if repo in (None, "") else given_id(repo, "repo")
        own = None if _is_run(name) or name == TEMPLATE_NAME else self._card_of(name, visitor)
        if own is not None:
            return {"text": own.text, "problems": [*_remarked(own), *self.check(own.text)], "sources": []}
        draft = self._drafted(name, repo, visitor)
        return {"text": draft.text, "problems": self.check(draft.text), "sources": draft.sources}

    def card_sources(
        self, text: str, run_or_model: str, sources: list[dict[str, Any]] | None = None, *, visitor: Visitor
    ) -> dict[str, Any]:
        """Whether a card still says what was filled in, and whether that still holds.

        Args:
            text: The card.
            run_or_model: What it is of, as `draft` takes it.
            sources: Those that its draft gave; without them all are looked for that the card may say something of.

        Returns:
            `{"sources": [{"field" or "section", "value", "fact", "from", "state", "now", "remedy"}]}`. `state` is
            `same` (the card says it), `edited` (it says something else, and the fact is as it was) or `stale` (the
            fact is no longer so); `now` is what the fact is, None where nothing is known of it any more; `remedy` are
            changes for `edit_card` that let the card say that, None where there is no place for it.
        """
        _check_text(text)
        given = None if sources is None else read_sources(sources)
        now = self._drafted(_subject(run_or_model), None, visitor).sources
        return {"sources": look(text, given, now)}

    def card_completeness(self, text: str) -> dict[str, Any]:
        """What a card lacks, by who reads it.

        Args:
            text: The card.

        Returns:
            `{"views": [{"name", "items": [{"title", "field" or "section", "done", "why"}], "next": item or None}]}`:
            what the Hub, its search, a user, whoever repeats the training, the Hugging Face course and the paper on
            model cards (Mitchell et al., 2019) ask for. `next` is the first item that is not done.
        """
        return completeness(text, self.check(text))

    def card_results(self, text: str) -> dict[str, Any]:
        """The evaluation results of a card as a table.

        Args:
            text: The card.

        Returns:
            `{"rows": [{"task", "task_name", "dataset", "dataset_name", "config", "split", "revision", "metric",
            "name", "value", "source", "source_name", "field"}], "files": [{"path", "text"}], "left_out": [{"row",
            "message"}]}`. A row is one metric; `field` is its path in the metadata. `files` are the same results as
            files of `.eval_results`, `left_out` are those that such a file cannot hold.
        """
        _check_text(text)
        rows = read_rows(text)
        whole = [number for number, row in enumerate(rows) if is_whole(row)]
        made = to_files([rows[number] for number in whole])
        left_out = [{**one, "row": whole[one["row"]]} for one in made["left_out"]]
        return {"rows": rows, "files": made["files"], "left_out": left_out}

    def edit_card_results(self, text: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Put a table of evaluation results into a card; what the table does not show stays as it is.

        Args:
            text: The card.
            rows: As `card_results` gives them. One with a `field` stands for the metric there; one without is new; a
                metric that no row stands for goes.

        Returns:
            `{text, problems}`, as of `draft`.
        """
        _check_text(text)
        return self.edit_card(text, row_changes(text, rows))

    def read_eval_results(self, text: str) -> dict[str, Any]:
        """The rows of a file of `.eval_results`.

        Args:
            text: The file, YAML.

        Returns:
            `{"rows"}`, as of `card_results`; task and metric are None where the file does not say them.
        """
        return {"rows": from_file(text)}

    def _drafted(self, name: str, repo: str | None, visitor: Visitor) -> Draft:
        """A new card of a run or a model."""
        if name == TEMPLATE_NAME:
            return draft_template()
        if _is_run(name):
            return draft_run(self.runs.state(name, visitor=visitor), repo)
        facts = Catalog(self.hub).model_facts(name, visitor=visitor)
        about = self._about.about_model(name, visitor=visitor)
        try:
            tokenizer = self._tokens.tokenize(name, "a", visitor=visitor)
        except WorkbenchError as error:
            # A model without a tokenizer, or one that is not opened here, says less of itself.
            if error.kind not in ("input", "forbidden"):
                raise
            tokenizer = None
        return draft_model({"facts": facts, "about": about, "tokenizer": tokenizer}, repo or name)

    def check(self, text: str, files: list[str] | None = None) -> list[dict[str, Any]]:
        """What is wrong with a card, `[{level, line, field, message, fix, remedy}]`, errors first.

        Args:
            text: The card.
            files: The paths of the files in its repository, if they are known; links to others are told as dead.
        """
        _check_text(text)
        if not (files is None or (isinstance(files, list) and all(isinstance(name, str) for name in files[:FILES]))):
            raise WorkbenchError("Give the paths of the repository's files as a list of texts.", field="files")
        return checks.check(text, files=None if files is None else files[:FILES])

    def edit_card(self, text: str, changes: list[dict[str, Any]]) -> dict[str, Any]:
        """Change fields and sections of a card, and nothing else of it.

        Args:
            text: The whole card.
            changes: In their order, `{"field": PATH, "value": JSON}` or `{"section": TITLE, "text": MARKDOWN}`. A path
                is written like `license`, `widget[0].text` or `extra_gated_fields["a.b"]`; null takes the field or
                section away, and a number one past the end of a list adds to it.

        Returns:
            `{text, problems}`, as of `draft`.
        """
        made = edit(text, changes)
        return {"text": made, "problems": self.check(made)}

    def diff_card(self, before: str, after: str) -> dict[str, Any]:
        """What one card has otherwise than another.

        Args:
            before, after: The two cards.

        Returns:
            `{"fields": [{"field", "before", "after"}], "sections": [{"section", "change"}], "lines", "summary"}`:
            `change` is added, removed or changed, `lines` are those of a unified diff, `summary` is a sentence.
        """
        return diff_card(before, after)

    def merge_card(self, base: str, mine: str, theirs: str) -> dict[str, Any]:
        """Put what others changed in a card into one's own text.

        Args:
            base: The card that both began from.
            mine: One's own text.
            theirs: What the others made of it.

        Returns:
            `{"text", "conflicts": [{"field" or "section", "base", "mine", "theirs"}]}`: where both changed the same,
            the text has one's own.
        """
        return merge_card(base, mine, theirs)

    def validate(self, text: str, *, visitor: Visitor) -> dict[str, Any]:
        """What the Hub in use says of a card before it takes it.

        Args:
            text: The card.

        Returns:
            `{"accepted", "problems", "hub"}`: whether it would take it, its messages as findings with their fields
            and lines, and its address.
        """
        _check_text(text)
        return validate(text, self.hub, visitor)

    def search_lists(self, kind: str, query: str = "", limit: int = 20) -> dict[str, Any]:
        """What may be chosen for a card, best first: `{"items": [{"value", "name"}], "source"}`.

        Args:
            kind: `languages`, `licenses`, `tasks`, `subtasks`, `libraries` or `metrics`.
            query: A part of a code or a name; all if empty.
            limit: Most entries, 1 to 200.
        """
        return self._lists.search(kind, query, limit)

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
        _check_text(text)
        spec = find_task(task)
        given = spec.check_parameters(parameters, self.settings)
        example = widget_example(spec.name, check_inputs(spec, inputs, self.settings), given, output)
        made = with_example(text, example)
        return {"text": made, "problems": self.check(made)}

    def _card_of(self, model: str, visitor: Visitor) -> CardFile | None:
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
        return read_card(Path(path))
