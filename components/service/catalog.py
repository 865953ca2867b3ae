"""What the Hub in use has: a search in pages, and the facts of a model before anything is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from huggingface_hub import hf_hub_download
from huggingface_hub.hf_api import ModelInfo

from components.service import memory, policy
from components.service.architectures import architecture_of, family_of, misfit, task_of, tasks_of
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.hub_errors import hub_errors
from components.service.listing import Page, ask, license_of, question
from components.service.sizes import in_units
from components.service.tasks import find_task
from components.service.visitor import Visitor

#: The namespace of the models that the embedded Hub has from the start.
STARTERS = "starter"
#: Models of the right kind that are named where a model does not fit.
ALTERNATIVES = 5


class Catalog:
    """Search and facts, on the Hub in use."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def search_models(
        self,
        query: str = "",
        task: str = "",
        language: str = "",
        library: str = "",
        license: str = "",
        sort: str = "downloads",
        limit: int = 20,
        author: str = "",
        fits: bool = False,
        *,
        visitor: Visitor,
    ) -> list[dict[str, Any]]:
        """Models of the Hub in use that meet every filter given; an empty filter filters nothing.

        Args:
            query: Words of the id.
            task: Such as `text-classification`.
            language: Its code, such as `fr`.
            library: Such as `transformers`.
            license: Such as `apache-2.0`.
            sort: `trending_score`, `downloads`, `likes`, `last_modified` or `created_at`, highest first.
            limit: Most models to list, up to 100; `browse_hub` turns pages.
            author: Whose models.
            fits: Only models whose weights can be loaded on this machine.

        Returns:
            For each: `{"id", "task", "library", "license", "languages", "downloads", "likes", "parameters",
            "bytes", "fits", "commit", "cached", "starter", ...}`; `bytes` and `parameters` are None where the Hub does
            not know them, and so is `fits`. `cached` says whether its weights are on this machine at that commit.
            Starter models come first, then cached ones, and within each group the order is the one asked for.
        """
        filters = {"task": task, "language": language, "library": library, "license": license, "author": author}
        rows = self._page("model", query, {**filters, "fits": fits}, sort, "", limit, visitor).rows
        if self.hub.settings.embedded and not author:
            own = self._page("model", query, {**filters, "author": STARTERS, "fits": fits}, sort, "", limit, visitor)
            rows = list({row["id"]: row for row in [*own.rows, *rows]}.values())
        rows.sort(key=lambda row: (not row["starter"], not row["cached"]))
        return rows[:limit]

    def search_datasets(
        self,
        query: str = "",
        task: str = "",
        language: str = "",
        library: str = "",
        license: str = "",
        sort: str = "downloads",
        limit: int = 20,
        author: str = "",
        *,
        visitor: Visitor,
    ) -> list[dict[str, Any]]:
        """Data sets of the Hub in use that meet every filter given; arguments and rows as of `search_models`."""
        filters = {"task": task, "language": language, "library": library, "license": license, "author": author}
        return self._page("dataset", query, filters, sort, "", limit, visitor).rows

    def search_spaces(
        self,
        query: str = "",
        sdk: str = "",
        sort: str = "likes",
        limit: int = 20,
        author: str = "",
        *,
        visitor: Visitor,
    ) -> list[dict[str, Any]]:
        """Spaces of the Hub in use; `sdk` is what they are made with, such as `gradio`. Rows as of `search_models`."""
        return self._page("space", query, {"library": sdk, "author": author}, sort, "", limit, visitor).rows

    def browse_hub(
        self,
        repo_type: str = "model",
        query: str = "",
        filters: dict[str, Any] | None = None,
        sort: str = "trending_score",
        cursor: str = "",
        limit: int = 20,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """One page of what the Hub in use has.

        Args:
            repo_type: `model`, `dataset` or `space`.
            query: Words of the id.
            filters: Any of `task`, `language`, `library`, `license`, `author`, and `fits` for models.
            sort: As in `search_models`.
            cursor: The `next` of the page before; empty for the first page.
            limit: Rows of a page, up to 100.

        Returns:
            `{"rows": [as of search_models], "next": cursor of the page that follows, or None}`.
        """
        page = self._page(repo_type, query, filters or {}, sort, cursor, limit, visitor)
        return {"rows": page.rows, "next": page.next}

    def _page(
        self,
        repo_type: str,
        query: str,
        filters: dict[str, Any],
        sort: str,
        cursor: str,
        limit: int,
        visitor: Visitor,
    ) -> Page:
        fits = bool(filters.get("fits"))
        most = memory.most_parameters(self.hub.settings) if fits else None
        page = ask(
            self.hub, repo_type, question(repo_type, query, {**filters, "fits": most}, sort, limit), cursor, visitor
        )
        rows = [self._judged(row, visitor) for row in page.rows]
        return Page([row for row in rows if row["fits"]] if fits else rows, page.next)

    def _judged(self, row: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
        """A row of a list with what this machine has to do with it."""
        needed = memory.memory_of(row["parameters"], row["bytes"], self.hub.settings)
        private = bool(row["private"] or row["gated"])
        model = row["repo_type"] == "model"
        return {
            **row,
            "fits": needed.fits if needed else None,
            "cached": model and self._cached(row["id"], row["commit"], private, visitor),
            "starter": model and self.hub.settings.embedded and row["id"].startswith(f"{STARTERS}/"),
        }

    def model_facts(
        self, model: str, revision: str | None = None, task: str = "", *, visitor: Visitor
    ) -> dict[str, Any]:
        """What is known of a model before its weights are fetched.

        Args:
            model: Its id.
            revision: A branch, tag or commit; empty for the newest.
            task: What it is wanted for, if that is known.

        Returns:
            `{"id", "commit", "task", "tasks", "architecture", "family", "parameters", "bytes", "dtype", "license",
            "gated", "files": [{"name", "bytes"}], "config", "refusals", "memory", "fits", "cached", "fit",
            "alternatives", "chats"}`. `tasks` are all that it can do; `chats` says whether it has a chat template, as
            far as that is known without its tokenizer; `refusals` are sentences that say why it is not opened
            here; `memory` is `{"weights", "needed", "at_hand", "limit", "dtype", "fits", "told"}` in bytes, or None;
            `fit` says why it would not do `task`, None where it may, and `alternatives` are ids that would.

        Raises:
            WorkbenchError: There is no such model for this visitor, or no such task.
        """
        model, revision = self.hub.read_id(model, revision)
        wanted = find_task(task).name if task else ""
        local = self.hub.local(model, visitor)
        known = self._local_facts(local) if local else self._hub_facts(model, revision, visitor)
        needed = memory.memory_of(known["parameters"], known["bytes"], self.hub.settings)
        files = [file["name"] for file in known["files"]]
        fit = misfit(known["config"], wanted, known["id"], files) if wanted else None
        stated = known.pop("stated")
        return {
            **known,
            "task": stated or task_of(known["config"], files) or known["task"],
            "tasks": tasks_of(known["config"], files),
            "architecture": architecture_of(known["config"]),
            "family": family_of(known["config"]),
            "memory": needed.facts() if needed else None,
            "fits": needed.fits if needed else None,
            "fit": fit,
            "alternatives": self.alternatives(wanted, visitor=visitor) if fit else [],
            "chats": _chats(known["config"], files),
        }

    def alternatives(self, task: str, *, visitor: Visitor) -> list[str]:
        """Ids of models for a task that fit this machine, the default, starter and cached ones first."""
        spec = find_task(task)
        found = self.search_models(task=spec.name, library="transformers", visitor=visitor)
        default = spec.default_model(self.hub.settings)
        ids = [row["id"] for row in found if row["fits"] is not False]
        return list(dict.fromkeys([*([default] if default else []), *ids]))[:ALTERNATIVES]

    def _hub_facts(self, model: str, revision: str | None, visitor: Visitor) -> dict[str, Any]:
        info = self.hub.model_info(model, revision, visitor=visitor)
        files = {sibling.rfilename: sibling.size for sibling in info.siblings or []}
        config, reasons = self._config(info, files, visitor)
        kinds = info.safetensors.parameters if info.safetensors else {}
        refusals = [*policy.model_refusals(files, config, self.hub.settings), *reasons]
        return {
            "id": info.id,
            "commit": info.sha,
            "task": info.pipeline_tag,
            "stated": info.card_data.pipeline_tag if info.card_data else None,
            "parameters": info.safetensors.total if info.safetensors else None,
            "bytes": sum(files[name] or 0 for name in policy.weight_files(files)) or None,
            "dtype": max(kinds, key=lambda kind: kinds[kind]) if kinds else None,
            "license": license_of(info.tags or []),
            "gated": info.gated or False,
            "files": [{"name": name, "bytes": size} for name, size in files.items()],
            "config": config,
            "refusals": refusals,
            "cached": self._cached(info.id, info.sha, bool(info.private or info.gated), visitor),
        }

    def _config(
        self, info: ModelInfo, files: dict[str, int | None], visitor: Visitor
    ) -> tuple[dict[str, Any], list[str]]:
        """The model's configuration, the Hub's summary of it where it cannot be read, and why it could not."""
        brief: dict[str, Any] = info.config or {}
        size, most = files.get("config.json", 0) or 0, self.hub.settings.config_bytes
        if "config.json" not in files:
            return brief, []
        if size > most:
            return brief, [f"Its config.json takes {in_units(size)}, more than the {in_units(most)} allowed here."]
        try:
            path = self.config_file(info, visitor)
        except WorkbenchError as error:
            if not info.gated:
                raise
            return brief, [error.message]
        config = read_config(path)
        if config is None:
            return brief, ["Its config.json is not a JSON object, so it cannot be opened. Choose another model."]
        return {**brief, **config}, []

    def config_file(self, info: ModelInfo, visitor: Visitor) -> Path:
        """The model's config.json at its commit, fetched alone."""
        with hub_errors(info.id):
            path = hf_hub_download(
                info.id,
                "config.json",
                revision=info.sha,
                cache_dir=self.hub.cache(visitor, private=bool(info.private or info.gated)),
                token=visitor.token,
                endpoint=self.hub.settings.endpoint,
            )
        return Path(path)

    def _local_facts(self, snapshot: Snapshot) -> dict[str, Any]:
        files = {file.name: file.stat().st_size for file in sorted(snapshot.path.iterdir()) if file.is_file()}
        config = read_config(snapshot.path / "config.json") or {}
        return {
            "id": snapshot.id,
            "commit": snapshot.commit,
            "task": None,
            "stated": None,
            "parameters": None,
            "bytes": sum(files[name] for name in policy.weight_files(files)),
            "dtype": config.get("dtype"),
            "license": None,
            "gated": False,
            "files": [{"name": name, "bytes": size} for name, size in files.items()],
            "config": config,
            "refusals": [],
            "cached": True,
        }

    def _cached(self, repo: str, commit: str | None, private: bool, visitor: Visitor) -> bool:
        """Whether a model's weights are on this machine, at that commit."""
        folder = self.hub.cache(visitor, private=private) / "--".join(["models", *repo.split("/")])
        return bool(commit) and any((folder / "snapshots" / str(commit)).glob("model*.safetensors"))


def _chats(config: dict[str, Any], files: list[str]) -> bool:
    """Whether a model has a chat template: in a file of its own, or in what the Hub says of its tokenizer."""
    tokenizer = config.get("tokenizer_config")
    inside = isinstance(tokenizer, dict) and bool(tokenizer.get("chat_template"))
    return inside or any(name in files for name in ("chat_template.jinja", "chat_template.json"))


def read_config(path: Path) -> dict[str, Any] | None:
    """A configuration from its file, or None where it is no JSON object, or one nested too deeply to be sent on."""
    try:
        config = orjson.loads(path.read_bytes())
        orjson.dumps(config)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return config if isinstance(config, dict) else None
