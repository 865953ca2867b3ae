"""A repository's card as the page may show it: no picture is fetched from elsewhere.

A card is a stranger's text. Whoever looks at it must not thereby tell a stranger's server that they did, so a picture
is shown only if it is a file of the repository itself; any other becomes a link. HTML is cut down to tags that only
arrange text. What is left goes through the page's own sanitiser like any Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

#: Gives a picture of the repository as a `data:` address; None if it has none of that name.
Picture = Callable[[str], str | None]

_FENCE = r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*\n.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)"
_SPAN = r"(?<!`)(`++)[^\n]{1,2000}?(?<!`)\3(?!`)"
_CODE = re.compile(f"({_FENCE}|{_SPAN})", re.M | re.S)
_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
# Each part gives nothing back once it has taken it, or a hostile card would be tried in endless ways.
_IMAGE = re.compile(r"!\[([^\]\n]{0,200}+)\]\(\s*+<?([^)\s>]{0,600}+)>?[^)\n]{0,200}+\)")
_BY_REFERENCE = re.compile(r"!(?=\[(?![^\]\n]{0,200}+\]\(data:image/))")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>?|<(?=[!?])")
_ATTRIBUTE = re.compile(r"\b(src|alt|href)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.I)
#: What would be a picture if the sanitiser took for HTML what is taken for code here.
_LOADS = re.compile(r"<(?=[a-zA-Z][^<>]{0,500}(?:src|style|background|poster|data|href)\w*\s*=)|!(?=\[)", re.I)
_ALLOWED = re.compile(
    "b|i|em|strong|u|s|small|su[bp]|br|hr|p|div|center|span|h[1-6]|[uo]l|li|d[ltd]|table|thead|tbody|t[rdh]|code|pre|"
    "kbd|blockquote|details|summary"
)
_HIDDEN = re.compile(
    "picture|source|video|audio|track|iframe|script|style|object|embed|svg|path|figure|figcaption|font|input|button|"
    "form|link|meta|body|html|head"
)


def readable(text: str, picture: Picture = lambda _name: None) -> str:
    """Markdown without its pictures from elsewhere.

    Args:
        text: The card without its front matter.
        picture: Looks up the repository's own pictures.
    """
    parts = []
    end = 0
    for code in _CODE.finditer(text):
        parts += [_plain(text[end : code.start()], picture), _LOADS.sub(lambda start: start[0] + "\u200b", code[0])]
        end = code.end()
    return "".join([*parts, _plain(text[end:], picture)])


def _plain(text: str, picture: Picture) -> str:
    text = _TAG.sub(lambda tag: _tag(tag, picture), _UNSHOWN.sub("", text))
    text = _IMAGE.sub(lambda image: _image(image[1], image[2], picture), text)
    # A picture by reference, `![text][name]`: its address stands elsewhere, so it is left as a link.
    return _BY_REFERENCE.sub("", text)


def _image(alt: str, source: str, picture: Picture) -> str:
    alt = re.sub(r"[\[\]\n*]", " ", alt)[:200].strip()
    elsewhere = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", source)
    if re.match(r"data:image/(png|jpeg|gif|webp);base64,", source):
        return f"![{alt}]({source})"
    own = None if elsewhere else picture(source.removeprefix("./").lstrip("/"))
    return f"![{alt}]({own})" if own else f"*{alt or 'picture'}*"


def _tag(tag: re.Match[str], picture: Picture) -> str:
    name, rest = (tag[2] or "").lower(), tag[3] or ""
    if name in ("http", "https") and rest.startswith("://"):
        return tag[0]  # an address between angle brackets
    found = {key.lower(): unescape(a or b or c) for key, a, b, c in _ATTRIBUTE.findall(rest)}
    if name == "img":
        return _image(found.get("alt", ""), found.get("src", ""), picture)
    if name == "a":
        target = found.get("href", "")
        kept = not tag[1] and target.startswith(("https://", "http://", "#"))
        return f'<a href="{escape(target)}">' if kept else f"<{tag[1]}a>"
    if _ALLOWED.fullmatch(name):
        return f"<{tag[1]}{name}>"
    return "" if _HIDDEN.fullmatch(name) else f"&lt;{tag[0][1:]}"
