"""What the Hub in use has: a search in pages, and the facts of a model before anything is fetched."""

from __future__ import annotations

from typing import Any

import orjson
import psutil

from components.service.hub import Hub, Snapshot, given_id
from components.service.listing import Page, ask, license_of, question
from components.service.policy import weight_files
from components.service.visitor import Visitor

#: The end of an architecture's name says what its head does. Source: the model classes of transformers.
_TASK_OF_HEAD = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForImageClassification": "image-classification",
}


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
            "bytes", "fits", ...}`; `bytes` and `parameters` are None where the Hub does not know them, and so is
            `fits`.
        """
        filters = {"task": task, "language": language, "library": library, "license": license, "author": author}
        return self._page("model", query, {**filters, "fits": fits}, sort, "", limit, visitor).rows

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
        asked = question(repo_type, query, {**filters, "fits": self._most_bytes() if fits else None}, sort, limit)
        page = ask(self.hub, repo_type, asked, cursor, visitor)
        rows = [{**row, "fits": self._fits(row["bytes"])} for row in page.rows]
        return Page([row for row in rows if row["fits"]] if fits else rows, page.next)

    def model_facts(self, model: str, revision: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """What is known of a model before it is fetched.

        Returns:
            `{"id", "commit", "task", "architecture", "family", "parameters", "bytes", "dtype", "license", "gated",
            "files": [{"name", "bytes"}], "config", "refusals", "fits"}`.
        """
        model = given_id(model)
        if local := self.hub.local(model, visitor):
            return self._local_facts(local)
        info = self.hub.model_info(model, revision, visitor=visitor)
        files = {sibling.rfilename: sibling.size for sibling in info.siblings or []}
        config = info.config or {}
        size = sum(files[name] or 0 for name in weight_files(files)) or None
        kinds = info.safetensors.parameters if info.safetensors else {}
        return {
            "id": info.id,
            "commit": info.sha,
            "task": info.pipeline_tag or task_of(config),
            "architecture": (config.get("architectures") or [None])[0],
            "family": family_of(config),
            "parameters": info.safetensors.total if info.safetensors else None,
            "bytes": size,
            "dtype": max(kinds, key=lambda kind: kinds[kind]) if kinds else None,
            "license": license_of(info.tags or []),
            "gated": info.gated or False,
            "files": [{"name": name, "bytes": size} for name, size in files.items()],
            "config": config,
            "refusals": self.hub.refusals(info),
            "fits": self._fits(size),
        }

    def _local_facts(self, snapshot: Snapshot) -> dict[str, Any]:
        files = {file.name: file.stat().st_size for file in sorted(snapshot.path.iterdir()) if file.is_file()}
        config = orjson.loads((snapshot.path / "config.json").read_bytes())
        size = sum(files[name] for name in weight_files(files))
        return {
            "id": snapshot.id,
            "commit": snapshot.commit,
            "task": task_of(config),
            "architecture": (config.get("architectures") or [None])[0],
            "family": family_of(config),
            "parameters": None,
            "bytes": size,
            "dtype": config.get("dtype"),
            "license": None,
            "gated": False,
            "files": [{"name": name, "bytes": size} for name, size in files.items()],
            "config": config,
            "refusals": [],
            "fits": self._fits(size),
        }

    def _fits(self, size: int | None) -> bool | None:
        """Whether weights of `size` bytes can be loaded beside what this machine runs already."""
        return None if size is None else size <= self._most_bytes()

    def _most_bytes(self) -> int:
        return int(min(self.hub.settings.model_bytes, psutil.virtual_memory().available * 0.6))


def task_of(config: dict[str, Any]) -> str | None:
    """The task that the head of a model's architecture is made for, from its configuration."""
    for name in config.get("architectures") or []:
        for head, task in _TASK_OF_HEAD.items():
            if name.endswith(head):
                return task
    return None


def family_of(config: dict[str, Any]) -> str | None:
    """`encoder`, `decoder` or `encoder-decoder`, from a model's configuration; None if it does not say."""
    names = config.get("architectures") or []
    if config.get("is_encoder_decoder") or any(name.endswith("ForConditionalGeneration") for name in names):
        return "encoder-decoder"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names):
        return "decoder"
    return "encoder" if names else None
