"""What the Hub in use has: a search over its models, and the facts of one of them before anything is fetched."""

from __future__ import annotations

from typing import Any

import orjson
import psutil
from huggingface_hub.hf_api import ModelInfo

from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot, checked_id
from components.service.hub_errors import hub_errors
from components.service.policy import weight_files
from components.service.visitor import Visitor

SORTS = ("trending_score", "downloads", "likes", "last_modified", "created_at")
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
_EXPAND: Any = [
    "author",
    "cardData",
    "downloads",
    "gated",
    "lastModified",
    "library_name",
    "likes",
    "pipeline_tag",
    "private",
    "safetensors",
    "tags",
]
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
        *,
        visitor: Visitor,
    ) -> list[dict[str, Any]]:
        """Models of the Hub in use that fit every filter given; an empty filter filters nothing.

        Returns:
            For each: `{"id", "task", "library", "license", "languages", "downloads", "likes", "parameters",
            "bytes", "fits"}`; `bytes` and `parameters` are None where the Hub does not know them, and so is `fits`.
        """
        if sort not in SORTS:
            raise WorkbenchError(f"Sort by one of {', '.join(SORTS)}.", field="sort")
        if not 1 <= limit <= 100:
            raise WorkbenchError("The limit must be from 1 to 100.", field="limit")
        tags = [language, library, f"license:{license}" if license else ""]
        with hub_errors("models"):
            found = self.hub.api.list_models(
                search=query.strip() or None,
                pipeline_tag=task or None,
                filter=[tag for tag in tags if tag] or None,
                sort=sort,  # type: ignore[arg-type]
                limit=limit,
                expand=_EXPAND,
                token=visitor.token,
            )
            return [self._row(info) for info in found]

    def _row(self, info: ModelInfo) -> dict[str, Any]:
        size = _weight_bytes(info)
        return {
            "id": info.id,
            "task": info.pipeline_tag,
            "library": info.library_name,
            "license": _license(info),
            "languages": _languages(info),
            "downloads": info.downloads,
            "likes": info.likes,
            "parameters": info.safetensors.total if info.safetensors else None,
            "bytes": size,
            "fits": self._fits(size),
        }

    def model_facts(self, model: str, revision: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """What is known of a model before it is fetched.

        Returns:
            `{"id", "commit", "task", "architecture", "family", "parameters", "bytes", "dtype", "license", "gated",
            "files": [{"name", "bytes"}], "config", "refusals", "fits"}`.
        """
        if local := self.hub.local(checked_id(model), visitor):
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
            "license": _license(info),
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
        if size is None:
            return None
        return bool(size <= min(self.hub.settings.model_bytes, psutil.virtual_memory().available * 0.6))


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


def _weight_bytes(info: ModelInfo) -> int | None:
    if not info.safetensors:
        return None
    return sum(_BYTES.get(kind, 4) * count for kind, count in info.safetensors.parameters.items())


def _license(info: ModelInfo) -> str | None:
    return next((tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")), None)


def _languages(info: ModelInfo) -> list[str]:
    said = info.card_data.get("language") if info.card_data else None
    if isinstance(said, str):
        return [said]
    return [str(language) for language in said or []]
