"""What an editor on a page loses of a card, given back: line ends, and white space at both ends."""

from __future__ import annotations

import re

from patiencediff import PatienceSequenceMatcher

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_SPACE = re.compile(r"\A(\s*).*?(\s*)\Z", re.DOTALL)


def as_opened(text: str, opened: str) -> str:
    """The text of an editor that knows only LF, and cuts off white space around it, as the card that was opened has it.

    Args:
        text: What the editor holds.
        opened: The card as it was put there.

    Returns:
        Lines that are as they were end as they did; others in CR LF where the card's first line does, else in LF.
        Where the text begins or ends as the card's own does, the white space there is the card's.
    """
    before = _lines(opened.strip())
    if not before or not text.strip():
        return text
    after = [line for line, _ in _lines(text.strip())]
    # No front matter can end in a lone CR.
    ends = ["\r\n" if before[0][1] == "\r\n" else "\n"] * len(after)
    for old, new, size in PatienceSequenceMatcher(None, [line for line, _ in before], after).get_matching_blocks():
        for place in range(size):
            ends[new + place] = before[old + place][1] or ends[new + place]
    match = _SPACE.match(opened)
    assert match is not None
    made = "".join(line + end for line, end in zip(after, [*ends[:-1], ""], strict=True))
    return match[1] + made + match[2]


def _lines(text: str) -> list[tuple[str, str]]:
    """Each line with its end; the last one has none."""
    found = [(match[1], match[2]) for match in _LINE.finditer(text)]
    return found[:-1] if len(found) > 1 and found[-1] == ("", "") and found[-2][1] == "" else found
