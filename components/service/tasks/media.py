"""Images, sounds and videos as inputs: what a caller may give, and what reaches the worker.

A caller gives one of three: the file itself in base64 (plain, or as a `data:` URL), as the Hub's task specification
has it; an uploaded file, `{"file": ...}`; or one of the app's own samples, `{"sample": name}`. An address is never
fetched. The worker is handed `{"data": base64}` or `{"path": path}`, and it alone opens what a stranger sent.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import in_units

#: The app's own examples, each made by a program.
SAMPLES = Path(__file__).parent.parent / "samples"
_DATA_URL = re.compile(r"data:(image|audio|video|application)/[\w.+-]{1,40}(;[\w=.+-]{1,60})*;base64,")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def check_media(value: Any, kind: str, settings: Settings, field: str) -> dict[str, str]:
    """Return what the worker reads, `{"data"}` or `{"path"}`.

    Args:
        value: Base64 text, a `data:` URL, `{"file": path}` or `{"sample": name}`.
        kind: `image`, `audio` or `video`.
        settings: `media_bytes`.
        field: What is named where the value is refused.

    Raises:
        WorkbenchError: It is none of these, or too large.
    """
    if isinstance(value, dict) and isinstance(value.get("sample"), str):
        return {"path": str(sample(value["sample"], field))}
    if isinstance(value, dict) and isinstance(value.get("file"), str):
        path = Path(value["file"])
        _check_size(path.stat().st_size if path.is_file() else 0, kind, settings, field)
        return {"path": str(path)}
    if not isinstance(value, str) or not value.strip():
        raise WorkbenchError(f"There is no {kind} yet. Choose a file, or take an example.", field=field)
    text = "".join(value.split())
    if re.match(r"(https?|ftp|file):", text, re.IGNORECASE):
        raise WorkbenchError(
            f"Addresses are not fetched here. Download the {kind}, and give the file itself.", field=field
        )
    text = text[match.end() :] if (match := _DATA_URL.match(text)) else text
    _check_size(len(text) * 3 // 4, kind, settings, field)
    if not _BASE64.fullmatch(text):
        raise WorkbenchError(f"This is no {kind}: a file is needed, or its bytes in base64.", field=field)
    return {"data": text}


def sample_names() -> list[str]:
    """The names of the app's own samples."""
    return sorted(file.name for file in SAMPLES.iterdir() if file.suffix != ".py" and file.is_file())


def sample(name: str, field: str = "inputs") -> Path:
    """The file of one of the app's own samples."""
    known = sample_names()
    if name not in known:
        raise WorkbenchError(f"There is no sample {name[:80]!r}. Samples are {', '.join(known)}.", field=field)
    return SAMPLES / name


def _check_size(size: int, kind: str, settings: Settings, field: str) -> None:
    if size > settings.media_bytes:
        raise WorkbenchError(
            f"The {kind} takes {in_units(size)}; at most {in_units(settings.media_bytes)} are allowed here. "
            "Make it smaller.",
            field=field,
        )
    if not size:
        raise WorkbenchError(f"The {kind} is empty. Choose another file.", field=field)
