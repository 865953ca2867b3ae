"""What the Hub in use says of a card before it takes it, each message with the field and the line it is about."""

from __future__ import annotations

import re
from typing import Any

from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import get_session, hf_raise_for_status

from components.service.cards.checks import Problem, check
from components.service.cards.checks.card import Card
from components.service.cards.checks.findings import shown
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.hub_errors import hub_errors
from components.service.visitor import Visitor

#: Most messages that are told, and most characters of one.
MESSAGES, LONGEST = 100, 500
_PATH = re.compile(r'^\W{0,4}(?:Error: )?"([^"\s][^"]{0,300})"')
#: Where YAML is wrong: "line 3, column 1" counts from the line of the first ---, "(3:1)" from the line after it.
_LINE = re.compile(r"\bline (\d{1,6})")
_PAIR = re.compile(r"\((\d{1,6}):\d{1,6}\)")
_DEFAULT = "Correct what stands here; the Hub takes no card with this mistake."


def validate(text: str, hub: Hub, visitor: Visitor) -> dict[str, Any]:
    """What the Hub says of a card.

    Args:
        text: The card.
        hub: The Hub in use.
        visitor: Who asks; with a token only if they have one.

    Returns:
        `{"accepted", "problems", "hub"}`: whether the Hub would take the card, its messages as findings, with the
        remedy of the offline check where that found the same, and the Hub's address.

    Raises:
        WorkbenchError: The Hub does not answer.
    """
    endpoint = hub.settings.endpoint
    with hub_errors("this card", field="text"):
        answer = get_session().post(
            f"{endpoint}/api/validate-yaml",
            json={"content": text, "repoType": "model"},
            headers=build_hf_headers(token=visitor.token),
            timeout=hub.settings.hub_seconds,
        )
        said = _json(answer)
        if answer.status_code != 400 or not isinstance(said, dict) or "errors" not in said:
            hf_raise_for_status(answer)
    if not isinstance(said, dict):
        raise WorkbenchError("The Hub's answer about this card cannot be read. Try again in a moment.", kind="hub")
    own = check(text)
    card = Card(text, None)
    errors = [_finding(message, "error", card, own) for message in _messages(said, "errors")]
    warnings = [_finding(message, "warning", card, own) for message in _messages(said, "warnings")]
    return {"accepted": not errors and answer.status_code < 400, "problems": [*errors, *warnings], "hub": endpoint}


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _messages(said: dict[str, Any], kind: str) -> list[str]:
    rows = said.get(kind)
    found = [row.get("message") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [message[:LONGEST] for message in found if isinstance(message, str) and message][:MESSAGES]


def _finding(message: str, level: str, card: Card, own: list[Problem]) -> Problem:
    """A message of the Hub as a finding."""
    field, line = _place(message, card)
    if field == "card":
        # A repeated key breaks the YAML for the Hub; the offline check knows which one it is.
        repeated = "duplicate" in message.lower()
        same = next((one for one in own if one["line"] == line and (repeated or one["field"] == "card")), None)
        field = same["field"] if same else field
    else:
        fits = [one for one in own if one["field"] == field or one["field"].startswith(f"{field}[")]
        same = next((one for one in fits if one["level"] == level), None)
    return {
        "level": level,
        "line": line,
        "field": field,
        "message": f"The Hub says: {shown(message) if len(message) <= 80 else ' '.join(message.split())}",
        "fix": same["fix"] if same else _DEFAULT,
        "remedy": same["remedy"] if same else None,
    }


def _place(message: str, card: Card) -> tuple[str, int]:
    """The field and the line that a message is about."""
    if match := _PATH.match(message):
        return match[1], card.line(match[1])
    last = card.top + (card.source or "").rstrip().count("\n")
    if match := _PAIR.search(message):
        return "card", min(card.top - 1 + int(match[1]), last)
    if match := _LINE.search(message):
        return "card", min(card.top - 2 + int(match[1]), last)
    return "card", card.top
