"""The Hub's lists of models, data sets and Spaces, a page at a time.

The client library's own `list_models` gives one endless row of results and hides where a page ends, so the question is
put here; the next page is reached by the cursor that the Hub states in its `Link` header, and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import get_session, hf_raise_for_status

from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.hub_errors import hub_errors
from components.service.rights import checked_type
from components.service.tasks.texts import check_characters
from components.service.visitor import Visitor

#: How lists are sorted, and what the Hub calls it.
SORTS = {
    "trending_score": "trendingScore",
    "downloads": "downloads",
    "likes": "likes",
    "last_modified": "lastModified",
    "created_at": "createdAt",
}
FILTERS = ("task", "language", "library", "license", "author", "fits")
_EXPAND = ("author", "cardData", "createdAt", "lastModified", "likes", "private", "tags", "trendingScore")
_EXPAND_MORE = {
    "model": ("downloads", "gated", "library_name", "pipeline_tag", "safetensors", "sha"),
    "dataset": ("downloads", "gated"),
    "space": ("sdk",),
}
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
_TEXT_CHARS = 200

#: The query of a list, as the HTTP client takes it.
Query = list[tuple[str, str | int | float | bool | None]]


@dataclass(frozen=True)
class Page:
    """A page of a list.

    Attributes:
        rows: What `row` gives, one for each repository.
        next: The cursor of the page that follows, or None.
    """

    rows: list[dict[str, Any]]
    next: str | None


def question(repo_type: str, query: str, filters: dict[str, Any], sort: str, limit: int) -> Query:
    """The query of one list, as the Hub reads it.

    Args:
        repo_type: `model`, `dataset` or `space`.
        query: Words of the id.
        filters: Of `FILTERS`; `fits` holds the most parameters that a model may have.
        sort: A key of `SORTS`.
        limit: Rows of a page.

    Raises:
        WorkbenchError: A filter or the order is none of these.
    """
    checked_type(repo_type)
    _check(filters, sort, limit)
    if repo_type == "space" and sort == "downloads":
        sort = "likes"  # the Hub counts no downloads of Spaces
    asked: Query = [("sort", SORTS[sort]), ("limit", limit)]
    if query.strip():
        asked.append(("search", query.strip()[:_TEXT_CHARS]))
    if filters.get("author"):
        asked.append(("author", str(filters["author"]).strip()))
    if filters.get("task") and repo_type == "model":
        asked.append(("pipeline_tag", str(filters["task"])))
    if filters.get("fits"):
        # The Hub counts in millions; the rows are judged again.
        asked.append(("num_parameters", f"max:{max(1, filters['fits'] // 1_000_000)}M"))
    asked += [("filter", tag) for tag in _tags(repo_type, filters)]
    return asked + [("expand", name) for name in (*_EXPAND, *_EXPAND_MORE[repo_type])]


def ask(
    hub: Hub,
    repo_type: str,
    asked: Query,
    cursor: str,
    visitor: Visitor,
) -> Page:
    """One page of a list."""
    if not isinstance(cursor, str) or len(cursor) > 4000:
        raise WorkbenchError("The cursor is not one that this list gave.", field="cursor")
    for name, value in (*asked, ("cursor", cursor)):
        check_characters(str(value), {"search": "query", "filter": "filters"}.get(name, name))
    with hub_errors(f"{repo_type}s"):
        answer = get_session().get(
            f"{hub.settings.endpoint}/api/{repo_type}s",
            params=[*asked, ("cursor", cursor)] if cursor else asked,
            headers=build_hf_headers(token=visitor.token),
            timeout=hub.settings.hub_seconds,
        )
        hf_raise_for_status(answer)
    following = parse_qs(urlsplit(answer.links.get("next", {}).get("url", "")).query).get("cursor")
    rows = [row(repo_type, item) for item in answer.json()]
    return Page(rows, following[0] if following else None)


def row(repo_type: str, item: dict[str, Any]) -> dict[str, Any]:
    """What a list shows of one repository, from what the Hub says of it."""
    card = item.get("cardData") or {}
    tags = item.get("tags") or []
    weights = item.get("safetensors") or {}
    kinds = weights.get("parameters") or {}
    languages = card.get("language") or []
    return {
        "id": item["id"],
        "repo_type": repo_type,
        "commit": item.get("sha"),
        "task": item.get("pipeline_tag") or _after("task_categories:", tags),
        "library": item.get("library_name") or item.get("sdk"),
        "license": license_of(tags),
        "languages": [languages] if isinstance(languages, str) else [str(one) for one in languages],
        "downloads": item.get("downloads"),
        "likes": item.get("likes"),
        "parameters": weights.get("total"),
        "bytes": sum(_BYTES.get(kind, 4) * number for kind, number in kinds.items()) or None,
        "private": bool(item.get("private")),
        "gated": item.get("gated") or False,
        "modified": item.get("lastModified"),
    }


def license_of(tags: list[str]) -> str | None:
    """The licence among a repository's tags."""
    return _after("license:", tags)


def _check(filters: dict[str, Any], sort: str, limit: int) -> None:
    if sort not in SORTS:
        raise WorkbenchError(f"Sort by one of {', '.join(SORTS)}.", field="sort")
    if not isinstance(limit, int) or not 1 <= limit <= 100:
        raise WorkbenchError("The limit must be from 1 to 100.", field="limit")
    unknown = [name for name in filters if name not in FILTERS]
    if unknown:
        raise WorkbenchError(f"There is no filter {unknown[0]!r}. Filters are {', '.join(FILTERS)}.", field="filters")
    if any(len(str(value)) > _TEXT_CHARS for value in filters.values()):
        raise WorkbenchError(f"A filter is longer than {_TEXT_CHARS} characters.", field="filters")


def _tags(repo_type: str, filters: dict[str, Any]) -> list[str]:
    """Everything that travels as a tag. Data sets name the kind of each tag; models leave most bare."""
    language, library, license = (str(filters.get(name) or "").strip() for name in ("language", "library", "license"))
    task = str(filters.get("task") or "").strip()
    named = repo_type == "dataset"
    tags = [f"license:{license}"] if license else []
    if language:
        tags.append(f"language:{language}" if named else language)
    if library:
        tags.append(f"library:{library}" if named else library)
    if task and repo_type != "model":
        tags.append(f"task_categories:{task}" if named else task)
    return tags


def _after(start: str, tags: list[str]) -> str | None:
    return next((tag.removeprefix(start) for tag in tags if tag.startswith(start)), None)
