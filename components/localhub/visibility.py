"""How clients say whether a repository is private."""

from __future__ import annotations

from typing import Any

from components.localhub.errors import HubError


def is_private(body: dict[str, Any], *, default: bool) -> bool:
    """Whether the body of a request makes a repository private; 400 if it says something else."""
    visibility, private = body.get("visibility"), body.get("private")
    if visibility not in (None, "public", "private", "protected") or private not in (None, True, False):
        raise HubError(400, "`visibility` must be public or private.")
    if visibility is not None:
        return bool(visibility != "public")
    return default if private is None else bool(private)
