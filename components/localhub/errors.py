"""What a client is told: statuses and the headers by which `huggingface_hub` picks its exception classes."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

_PLAIN = re.compile(r"/(info/refs|git-(upload|receive)-pack)$")
_GIT = re.compile(rf"\.git/info/lfs/|{_PLAIN.pattern}")
_BASIC = 'Basic realm="A token is the password"'
BAD_TOKEN = "Invalid credentials in Authorization header"


class HubError(Exception):
    """An answer other than success.

    Args:
        status: HTTP status.
        message: A sentence for the person behind the client; never a path of the server or a token.
        code: The `X-Error-Code` that clients branch on (`"RepoNotFound"`, `"EntryNotFound"` ...), if there is one.
        headers: Further headers of the answer, such as `X-Repo-Commit`.
        body: Further fields of the JSON body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        body: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.body = body or {}


def bad_token() -> HubError:
    """The token that was sent is nobody's."""
    return HubError(401, BAD_TOKEN)


def repository_not_found(*, signed_in: bool) -> HubError:
    """The repository is missing, or the asker may not know that it exists: the Hub does not tell which."""
    if signed_in:
        return HubError(404, "Repository not found", "RepoNotFound")
    return HubError(401, "Invalid username or password.", "RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    """No branch, tag or commit has that name."""
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str, commit: str | None = None) -> HubError:
    """The file or folder is not in that commit; clients remember it under `X-Repo-Commit`."""
    headers = {"X-Repo-Commit": commit} if commit else {}
    return HubError(404, f"Entry not found: {path}", "EntryNotFound", headers=headers)


def respond(request: Request, error: Exception) -> Response:
    """The answer for a `HubError` (an exception handler of the app)."""
    assert isinstance(error, HubError)
    headers = {**error.headers, "X-Error-Message": header_text(error.message)}
    if error.code:
        headers["X-Error-Code"] = error.code
    if error.status == 401 and _GIT.search(request.url.path):  # so that git and git-lfs ask for a password
        headers |= {"WWW-Authenticate": _BASIC, "LFS-Authenticate": _BASIC}
    if _PLAIN.search(request.url.path):  # git shows a text to the person, and nothing else
        return PlainTextResponse(f"{error.message}\n", error.status, headers)
    return JSONResponse({"error": error.message, **error.body}, error.status, headers)


def header_text(text: str) -> str:
    """`text` as a header may carry it: one line, latin-1, at most 500 characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.encode("latin-1", "replace").decode("latin-1")[:500].strip()
