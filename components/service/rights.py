"""Which repositories a visitor may write to, and how a repository is named."""

from __future__ import annotations

from components.service.errors import WorkbenchError
from components.service.hub import Hub, checked_id
from components.service.visitor import Visitor

REPO_TYPES = ("model", "dataset", "space")
#: What a member of an organization may be who writes to its repositories; None where the Hub does not say.
_WRITES = ("admin", "write", "contributor", None)
_FOLDER = {"model": "", "dataset": "datasets/", "space": "spaces/"}


def namespaces(hub: Hub, visitor: Visitor) -> list[str]:
    """The namespaces that the visitor may write to: their own name first, then their organizations.

    Raises:
        WorkbenchError: Nobody is signed in, or the token may only read.
    """
    me = hub.whoami(visitor)
    if not me["name"]:
        raise WorkbenchError("Sign in first: this needs an account on the Hub in use.", kind="forbidden")
    if me["role"] == "read":
        raise WorkbenchError(
            "Your token may only read. Make one with write access on the Hub and sign in with it.",
            kind="forbidden",
        )
    return [me["name"], *(org for org, role in me["org_roles"].items() if role in _WRITES)]


def own(hub: Hub, repo: str, visitor: Visitor, field: str = "repo") -> str:
    """The full name of a repository in a namespace that the visitor may write to."""
    mine = namespaces(hub, visitor)
    repo = repo.strip()
    full = checked_id(repo if "/" in repo else f"{mine[0]}/{repo}", field)
    if full.partition("/")[0] not in mine:
        raise WorkbenchError(
            f"You may not write to {full.partition('/')[0]}. Choose one of: {', '.join(mine)}.",
            kind="forbidden",
            field=field,
        )
    return full


def may_write(hub: Hub, repo: str, visitor: Visitor) -> bool:
    """Whether a repository lies in a namespace that the visitor may write to."""
    try:
        return repo.partition("/")[0] in namespaces(hub, visitor)
    except WorkbenchError:
        return False


def checked_type(repo_type: str) -> str:
    """The kind of repository as it was given, if it is one."""
    if repo_type not in REPO_TYPES:
        raise WorkbenchError("A repository is a model, a dataset or a space.", field="repo_type")
    return repo_type


def address(hub: Hub, repo: str, repo_type: str = "model") -> str:
    """Where a repository is on the Hub in use."""
    return f"{hub.settings.endpoint}/{_FOLDER[repo_type]}{repo}"
