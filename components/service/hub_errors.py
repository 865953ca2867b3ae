"""The Hub client's exceptions as sentences for visitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from components.service.errors import Kind, WorkbenchError

REFUSED = "The Hub does not accept this token. Sign in again with a token that is still valid."
_BY_STATUS: dict[int, tuple[Kind, str]] = {
    401: ("forbidden", REFUSED),
    403: ("forbidden", "Your token has no right to do this. Use one with write access to that namespace."),
    409: ("conflict", "The Hub already has something of that name. Choose another name."),
    412: ("busy", "The repository was changed meanwhile. Look at what is there now, then try again."),
    413: ("input", "The Hub says that this is too large."),
    507: ("disk", "The Hub's disk is full. Delete something there, or tell who runs the Hub, then try again."),
    429: ("busy", "The Hub asks for a pause: too many requests. Try again in a minute."),
}
_NO_ANSWER = (
    "The Hub does not answer. Try again in a moment: the embedded Hub is started again by itself. Where it is another "
    "Hub that stays away, start the app with --hub local."
)


@contextmanager
def hub_errors(subject: str, *, field: str | None = None) -> Iterator[None]:
    """Turn what the Hub client raises inside the block into a `WorkbenchError` about `subject`."""
    try:
        yield
    except GatedRepoError:
        raise WorkbenchError(
            f"{subject} is gated: accept its conditions on its page on the Hub, then sign in here and try again.",
            kind="forbidden",
            field=field,
        ) from None
    except RepositoryNotFoundError:
        raise WorkbenchError(
            f"The Hub in use has no {subject}, or it is private and you are not signed in to an account that may "
            "read it. Check the spelling, or search for it.",
            kind="not_found",
            field=field,
        ) from None
    except RevisionNotFoundError:
        raise WorkbenchError(
            f"{subject} has no such revision. Use a branch, a tag or a commit that exists, or leave it empty.",
            kind="not_found",
            field="revision",
        ) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, FileMetadataError):
        raise WorkbenchError(_NO_ANSWER, kind="hub") from None
    except EntryNotFoundError:
        raise WorkbenchError(f"{subject} has no such file.", kind="not_found", field=field) from None
    except HfHubHTTPError as error:
        raise _from_status(error, subject, field) from None
    except httpx2.HTTPError:
        raise WorkbenchError(_NO_ANSWER, kind="hub") from None
    except OSError:
        # After all that the client itself derives from it.
        raise WorkbenchError(
            f"The files of {subject} could not be kept on this machine: its disk is full, or the folder for what is "
            "downloaded cannot be written. Free some space, or start the app with another HF_HOME.",
            kind="disk",
        ) from None
    except RuntimeError as error:
        # The client wraps what goes wrong while a large file is sent.
        if not isinstance(error.__cause__, (HfHubHTTPError, httpx2.HTTPError)):
            raise
        with hub_errors(subject, field=field):
            raise error.__cause__ from None


def _from_status(error: HfHubHTTPError, subject: str, field: str | None) -> WorkbenchError:
    status = error.response.status_code if error.response is not None else 0
    if status in _BY_STATUS:
        kind, sentence = _BY_STATUS[status]
        return WorkbenchError(sentence, kind=kind, field=field)
    if isinstance(error, BadRequestError) or 400 <= status < 500:
        said = (error.server_message or "no reason given").strip()
        end = "" if said.endswith((".", "?", "!", ")")) else "."
        return WorkbenchError(f"The Hub refuses this for {subject}: {said}{end}", kind="hub", field=field)
    return WorkbenchError(
        f"The Hub failed to answer for {subject} (status {status}). Try again in a moment.",
        kind="hub",
        field=field,
    )
