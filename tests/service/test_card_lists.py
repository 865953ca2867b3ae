"""Pick lists of cards are searched offline and with the Hub in use, whose own check is told by field and line."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import LiveHub

from components.cardrules.snapshots import FOLDER, KINDS, snapshot
from components.service.cards.edit import edit
from components.service.cards.hub_checks import validate
from components.service.cards.lists import Lists
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.visitor import Visitor

NOBODY = Visitor("")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Lists:
    home = tmp_path_factory.mktemp("offline")
    return Lists(Hub(Settings(home=home, cache=home, endpoint="http://127.0.0.1:9")))


def values(found: dict[str, Any]) -> list[str]:
    return [item["value"] for item in found["items"]]


SEARCHES = [
    ("languages", "german", "de"),
    ("languages", "Deutsch", "de"),
    ("languages", "de", "de"),
    ("languages", "yue", "yue"),
    ("languages", "norwegian", "no"),
    ("languages", "Portugese", "pt"),
    ("licenses", "apache", "apache-2.0"),
    ("licenses", "MIT", "mit"),
    ("licenses", "share alike", "cc-by-sa-3.0"),
    ("tasks", "fill", "fill-mask"),
    ("tasks", "speech", "text-to-speech"),
    ("tasks", "", "text-classification"),
    ("subtasks", "entity rec", "named-entity-recognition"),
    ("libraries", "PEFT", "peft"),
    ("libraries", "sentence", "sentence-transformers"),
    ("metrics", "f1", "f1"),
    ("metrics", "error rate", "cer"),
    ("metrics", "acuracy", "accuracy"),
]


@pytest.mark.parametrize(("kind", "query", "best"), SEARCHES)
def test_a_word_finds_the_entry_that_is_meant(offline: Lists, kind: str, query: str, best: str) -> None:
    found = offline.search(kind, query, 10)
    assert best in values(found)[:2], found
    assert found["source"] == f"snapshot of {snapshot('tasks').date}"
    assert len(found["items"]) <= 10


def test_a_word_that_fits_nothing_finds_nothing(offline: Lists) -> None:
    assert offline.search("languages", "qqqqqqqq")["items"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [(("colours", ""), "kind"), ((5, ""), "kind"), (([], ""), "kind"), (("tasks", 5), "query"),
     (("tasks", "x" * 101), "query"), (("tasks", "", 0), "limit"), (("tasks", "", 201), "limit"),
     (("tasks", "", True), "limit"), (("tasks", "", "5"), "limit")],
)  # fmt: skip
def test_an_odd_question_is_refused_by_its_field(offline: Lists, given: Any, field: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        offline.search(*given)
    assert told.value.field == field


def test_the_snapshots_are_dated_small_and_whole() -> None:
    for kind in KINDS:
        path = FOLDER / f"{kind}.json"
        assert path.stat().st_size < 200_000
        content = json.loads(path.read_text("utf-8"))
        assert len(content["date"]) == len("2026-11")
        assert content["source"]
        assert all(isinstance(key, str) and key for key in content["items"])
    assert len(snapshot("languages").names) > 7000
    assert {"en", "no", "yue"} <= snapshot("languages").names.keys()


def test_the_embedded_hub_gives_its_lists(live_hub: LiveHub) -> None:
    lists = Lists(Hub(live_hub.settings))
    for kind in KINDS:
        found = lists.search(kind, "", 5)
        assert found["source"] == "the Hub in use"
        assert len(found["items"]) == 5


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    """The address of a Hub that always answers the same."""

    class Always(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_rest: Any) -> None:
            """Keep the tests quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Always)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def at(tmp_path: Path, address: str) -> Hub:
    return Hub(Settings(home=tmp_path, cache=tmp_path, endpoint=address))


def test_what_the_hub_has_beyond_the_snapshot_is_found(tmp_path: Path) -> None:
    tags = [{"id": "license:brand-new-1.0", "label": "brand-new-1.0", "type": "license"}, {"id": 5}, "odd"]
    with answering(json.dumps({"license": tags}).encode()) as address:
        lists = Lists(at(tmp_path, address))
        assert values(lists.search("licenses", "brand")) == ["brand-new-1.0"]
    # The Hub is asked once; what it said is kept.
    found = lists.search("licenses", "apache-2.0", 1)
    assert (values(found), found["source"]) == (["apache-2.0"], "the Hub in use")


ODD_ANSWERS = [b"", b"[]", b"{}", b'{"license": 5}', b"<html>", b'{"license": [' + b"5," * 2_600_000 + b"5]}"]


@pytest.mark.parametrize("body", ODD_ANSWERS, ids=[body[:20].decode() for body in ODD_ANSWERS])
def test_a_hub_that_answers_oddly_leaves_the_snapshot(tmp_path: Path, body: bytes) -> None:
    with answering(body) as address:
        found = Lists(at(tmp_path, address)).search("licenses", "mit")
    assert found["source"].startswith("snapshot of")
    assert values(found)[0] == "mit"


REFUSED = [
    ("license: mitt", "license", 2, True),
    ("a: 1\nlanguage:\n- en\n- english", "language[1]", 5, True),
    ("tags: one", "tags", 2, True),
    ("widget: {text: a}", "widget", 2, True),
    ("a: 1\nb: [", "card", 3, False),
    ("license: mit\nlicense: isc", "license", 3, True),
    (
        "model-index:\n- name: m\n  results:\n  - task: {type: t}\n    dataset:\n      type: d\n      name: n\n"
        "      config: 1\n    metrics: [{type: f1, value: 1}]",
        "model-index[0].results[0].dataset.config",
        9,
        True,
    ),
]


@pytest.mark.parametrize(("front", "field", "line", "mends"), REFUSED, ids=[row[0][:30] for row in REFUSED])
def test_what_the_hub_refuses_is_told_by_field_and_line(
    live_hub: LiveHub, front: str, field: str, line: int, mends: bool
) -> None:
    hub, text = Hub(live_hub.settings), f"---\n{front}\n---\n# Title\n"
    said = validate(text, hub, live_hub.nobody)
    assert not said["accepted"]
    finding = said["problems"][0]
    assert (finding["level"], finding["field"], finding["line"]) == ("error", field, line), said
    assert finding["message"].startswith("The Hub says: ")
    if mends:
        assert validate(edit(text, finding["remedy"]), hub, live_hub.nobody)["accepted"]


def test_the_hub_takes_a_good_card_and_warns_of_one_without_metadata(live_hub: LiveHub) -> None:
    hub = Hub(live_hub.settings)
    good = validate("---\nlicense: mit\n---\n# Title\n", hub, live_hub.ada)
    assert good == {"accepted": True, "problems": [], "hub": live_hub.settings.endpoint}
    bare = validate("# Title\n", hub, live_hub.nobody)
    assert bare["accepted"]
    assert bare["problems"][0]["level"] == "warning"


#: What huggingface.co says, and where that is in the card.
STOCK = [
    ('"datasets[0]" with value "/a/b/" is not valid. If possible, use a dataset id from https://hf.co/datasets.',
     "datasets[0]", 4),
    ('"model-index[0].results[0].dataset.config" must be a string', "model-index[0].results[0].dataset.config", 7),
    ('Error: "model-index[0].name" is required', "model-index[0].name", 6),
    ("bad indentation of a mapping entry (3:5)", "card", 4),
    ("duplicated mapping key (2:1)", "card", 3),
    ("Something else", "card", 2),
]  # fmt: skip
STOCK_CARD = "---\nlicense: mit\ndatasets:\n- /a/b/\nmodel-index:\n- results:\n  - dataset: {config: 1}\n---\n"


@pytest.mark.parametrize(("message", "field", "line"), STOCK, ids=[row[0][:30] for row in STOCK])
def test_the_words_of_the_public_hub_are_understood(tmp_path: Path, message: str, field: str, line: int) -> None:
    body = json.dumps({"errors": [{"message": message}], "warnings": []}).encode()
    with answering(body, 400) as address:
        said = validate(STOCK_CARD, at(tmp_path, address), NOBODY)
    finding = said["problems"][0]
    assert (said["accepted"], finding["field"], finding["line"]) == (False, field, line)


@pytest.mark.parametrize(("body", "status"), [(b"[]", 200), (b"<html>", 200), (b"{}", 500), (b"{}", 400), (b"", 403)])
def test_an_answer_that_is_none_ends_in_a_sentence(tmp_path: Path, body: bytes, status: int) -> None:
    with answering(body, status) as address, pytest.raises(WorkbenchError) as told:
        validate("# A", at(tmp_path, address), NOBODY)
    assert re.search(r"\.$|no reason given$", told.value.message)


def test_odd_errors_of_the_hub_are_left_out(tmp_path: Path) -> None:
    body = json.dumps({"errors": [5, {"message": 5}, {"message": "x" * 9000}] * 100, "warnings": "odd"}).encode()
    with answering(body, 400) as address:
        said = validate("# A", at(tmp_path, address), NOBODY)
    assert len(said["problems"]) == 100
    assert all(len(one["message"]) < 600 for one in said["problems"])


def test_a_hub_that_does_not_answer_is_told(settings: Settings) -> None:
    hub = Hub(replace(settings, endpoint="http://127.0.0.1:9"))
    with pytest.raises(WorkbenchError, match="does not answer"):
        validate("# A", hub, NOBODY)
