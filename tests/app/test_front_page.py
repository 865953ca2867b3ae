"""What the browser is sent, and what it is spared, with every endpoint still there for programs."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx


def ids(layout: dict[str, Any]) -> set[int]:
    """The ids of all parts that are laid out."""
    return {layout["id"]} | {part for child in layout.get("children", []) for part in ids(child)}


def test_the_browser_gets_no_part_of_an_endpoint_and_programs_get_them_all(app: Any) -> None:
    with httpx.Client(base_url=app.url) as http:
        html = http.get("/").text
        whole = http.get("/config").json()
        info = http.get("/gradio_api/info").json()["named_endpoints"]
    sent = re.search(r"window\.gradio_config = (.*?);</script>", html)
    assert sent is not None
    front = json.loads(sent[1])
    mounted = {part["id"]: part["type"] for part in front["components"]}
    assert "api" not in mounted.values()
    assert ids(front["layout"]) - {front["layout"]["id"]} == set(mounted)
    kinds = {part["id"]: part["type"] for part in whole["components"]}
    public = {f"/{one['api_name']}": one for one in whole["dependencies"] if one["api_visibility"] == "public"}
    assert set(public) == set(info)
    for name, one in public.items():
        assert {kinds[part] for part in one["inputs"] + one["outputs"]} == {"api"}
        assert len(info[name]["parameters"]) == len(one["inputs"])
    # The page about the API lists those that the front page knows.
    assert set(public) <= {f"/{one['api_name']}" for one in front["dependencies"]}
