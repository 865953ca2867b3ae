"""From a stranger's bytes to text: the encodings that tables really come in."""

from __future__ import annotations

import re
from typing import Any

from components.service.encodings import unmarked_utf_16
from components.service.errors import WorkbenchError
from components.service.worker.findings import finding

#: Characters that no text file holds; a file that has them is of another kind.
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")


def decode(data: bytes, name: str) -> tuple[str, str, list[dict[str, Any]]]:
    """Text of a file, its encoding, and what is to be told of it.

    UTF-8 with or without a byte order mark, UTF-16 with one, or else Windows-1252 (which holds Latin-1's letters),
    with a finding that says so.
    """
    findings = []
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text, encoding = _windows(data, name, line), "cp1252"
        message = f"{name} is not UTF-8 text (see line {line}), so it was read as Windows-1252."
        fix = 'Look whether accented letters are right; if not, save it again as "CSV UTF-8" and upload that.'
        findings.append(finding("warning", message, fix))
    if "\0" in text:
        raise WorkbenchError(_nul(data, name), field="data")
    return text, encoding, findings


def _nul(data: bytes, name: str) -> str:
    """Why a file is refused that holds zero bytes."""
    if unmarked_utf_16(data):
        return (
            f"{name} seems to be UTF-16 without the mark at its beginning that says so. "
            'Save it again as "CSV UTF-8" and upload that.'
        )
    return f"{name} holds NUL characters, so it is not a text file, or a damaged one. Export it again."


def _windows(data: bytes, name: str, line: int) -> str:
    """The text as Windows-1252, where it may well be that: no byte is undefined, and it is not mostly UTF-8."""
    rest = data.decode("utf-8", "replace")
    broken = rest.count("\ufffd")
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or sum(not letter.isascii() for letter in rest) > 2 * broken or _CONTROL.search(text):
        raise WorkbenchError(
            f"Line {line} of {name} is not UTF-8 text, and the file does not read as Windows-1252 either. Save it "
            'again as "CSV UTF-8" and upload that.',
            field="data",
        )
    return text
