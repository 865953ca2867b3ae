"""The Python behind each view, as it runs in a fresh process: exact arguments, the model at its commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.card import CARD_VIEWS
from components.service.snippets.compare import COMPARE_VIEWS
from components.service.snippets.finetune import FINETUNE_VIEWS
from components.service.snippets.inside import INSIDE_VIEWS
from components.service.snippets.model import MODEL_VIEWS
from components.service.snippets.sharing import SHARING_VIEWS
from components.service.snippets.tokens import TOKEN_VIEWS

#: What writes the snippet of each view, from its arguments and the address of the Hub in use.
VIEWS: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    **MODEL_VIEWS,
    **INSIDE_VIEWS,
    **COMPARE_VIEWS,
    **TOKEN_VIEWS,
    **FINETUNE_VIEWS,
    **SHARING_VIEWS,
    **CARD_VIEWS,
}


def snippet(view: str, arguments: Mapping[str, Any], endpoint: str) -> str:
    """Python that reproduces a view; it leaves what the view shows in `result`.

    Args:
        view: A name of `VIEWS`.
        arguments: What the view was asked, with the `commit` and, for a model, the `dtype` and `parameters` that its
            result states.
        endpoint: The address of the Hub in use.

    Raises:
        WorkbenchError: There is no such view, or an argument that it needs is missing.
    """
    if view not in VIEWS:
        raise WorkbenchError(f"There is no view {str(view)[:80]!r}. Views are {', '.join(VIEWS)}.", field="view")
    if not isinstance(arguments, Mapping):
        raise WorkbenchError("Arguments must be an object of names and values.", field="arguments")
    return VIEWS[view](arguments, endpoint)
