"""Requests that no browser makes, sent to the running app as bytes: broken uploads, odd headers, bodies of any kind."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
#: How many requests are made up; with more than the seeded ones they are other ones each time.
REQUESTS = int(os.environ.get("FUZZ_HTTP", "200"))
SEEDED = "FUZZ_HTTP" not in os.environ
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def part(name: str, content: bytes, file: str | None = "a.csv") -> bytes:
    """One part of a form."""
    called = f'; filename="{file}"' if file is not None else ""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{called}\r\n\r\n'.encode() + content + b"\r\n"


def arriving(app: Any) -> set[Path]:
    """Files in Gradio's folder that arrive, or did and were left."""
    folder = Path(app.home).parent / "uploads"
    return {path for path in folder.iterdir() if path.is_file()}


def becomes(true: Callable[[], Any]) -> bool:
    """Whether something is so within ten seconds."""
    deadline = time.monotonic() + 10
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    "body",
    [
        part("files", b"a") + part("notes", b"x" * 5_000_000, file=None) + b"--x--\r\n",
        part("files", b"a") + part("others", b"x" * 100_000) + b"--x--\r\n",
        b"--x\r\nContent-Type: text/csv\r\n\r\na\r\n--x--\r\n",
        b"--y--",
    ],
    ids=["a field of megabytes", "a file of another name", "a part without a name", "another boundary"],
)
def test_an_upload_holds_files_and_leaves_none_behind_where_it_is_refused(street: Any, body: bytes) -> None:
    street.guest.http.post("/gradio_api/upload", files={"files": ("a.csv", b"a")})
    before = arriving(street.app)
    answer = street.guest.http.post("/gradio_api/upload", content=body, headers=FORM)
    assert (answer.status_code, len(answer.text) < 200) == (400, True), answer.text
    assert arriving(street.app) == before


def test_an_upload_whose_sender_goes_away_leaves_nothing(street: Any) -> None:
    street.guest.http.post("/gradio_api/upload", files={"files": ("a.csv", b"a")})
    before, address = arriving(street.app), street.guest.http.base_url
    with closing(socket.create_connection((address.host, address.port))) as sender:
        lines = [f"POST /gradio_api/upload HTTP/1.1\r\nHost: {address.host}\r\nContent-Length: 9000000"]
        lines += [f"{name}: {value}" for name, value in FORM.items()]
        sender.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + part("files", b"x" * 4_000_000))
        assert becomes(lambda: arriving(street.app) - before)
    assert becomes(lambda: arriving(street.app) == before)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "file=http://127.0.0.1:1/x.png"),
        ("HEAD", "file=https://huggingface.co/x.png"),
        ("GET", "file/https://huggingface.co/x.png"),
        ("POST", "process_recording"),
        ("POST", "component_server"),
        ("POST", "component_server/"),
        ("GET", "proxy=https://huggingface.co/x.png"),
    ],
)
def test_what_gradio_offers_and_the_page_has_no_use_for_is_closed(street: Any, method: str, path: str) -> None:
    video = {"files": {"video": ("a.mp4", b"x" * 1000)}} if method == "POST" else {}
    answer = street.guest.http.request(method, f"/gradio_api/{path}", **video)
    assert answer.status_code in (400, 404), answer.text
    assert method == "HEAD" or "no such call" in answer.text or "cannot be proxied" in answer.text


def test_a_page_is_shown_whatever_cookies_other_apps_have_left(street: Any) -> None:
    for cookie in ("a/b=1", "a@b=1; x", 'workbench_guest="', "$Version=1", "=", "path=/; a,b=c"):
        assert street.guest.http.get("/health", headers={"Cookie": cookie}).status_code == 200, cookie


_odd = st.one_of(
    st.sampled_from(["", "a/b=1", "workbench_guest=\xff", "Bearer ", "Bearer hf_\xe9", "gzip", "chunked", "-1"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
)  # fmt: skip
_names = st.sampled_from(
    ["Cookie", "Authorization", "X-HF-Authorization", "Origin", "Sec-Fetch-Site", "X-Forwarded-For", "Content-Type",
     "X-Forwarded-Host", "X-Forwarded-Proto", "Range", "Accept", "If-None-Match", "X-Gradio-User", "Referer"]
)  # fmt: skip
_places = st.sampled_from(
    ["/", "/config", "/health", "/gradio_api/info", "/gradio_api/call/whoami", "/gradio_api/call/v2/whoami",
     "/gradio_api/call/list_metrics/x", "/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/reset",
     "/gradio_api/upload", "/gradio_api/run/whoami", "/gradio_api/stream/x", "/gradio_api/file=", "/theme.css",
     "/gradio_api/upload_progress", "/inference/text-classification/starter/sentiment", "/inference/v1/x",
     "/inference/x/y/health", "/gradio_api/stream/a/b/1/playlist.m3u8", "/monitoring/x", "/login", "/assets/x"]
)  # fmt: skip
_tails = st.one_of(
    st.sampled_from(["", "?session_hash=a", "?%ff=%00", "/%2e%2e/%00", "?a" * 50, "%ff%fe", "?__sign=x"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=30),
)
_junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
_fields = st.sampled_from(["data", "session_hash", "event_id", "fn_index", "inputs", "model", "messages", "trigger_id"])
_bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=100),
    st.dictionaries(_fields, _junk, max_size=4).map(lambda body: json.dumps(body).encode()),
    st.sampled_from([b"[" * 5000, b'{"data": ' * 3000, b"\xff\xfe{\x00}\x00", b'{"data": [NaN], "fn_index": 1e400}']),
)


@settings(
    max_examples=REQUESTS, derandomize=SEEDED, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_any_request_is_answered_without_a_defect(street: Any, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE"]))
    path = data.draw(_places) + data.draw(_tails)
    headers = data.draw(st.lists(st.tuples(_names, _odd), max_size=4))
    raw = [(name.encode(), value.strip().encode("latin-1")) for name, value in headers]
    before = street.app.log.stat().st_size
    with street.guest.http.stream(method, path, headers=raw, content=data.draw(_bodies), timeout=20) as answer:
        # What goes on for ever, such as a heartbeat, is not read to its end.
        ends = not answer.headers.get("content-type", "").startswith("text/event-stream")
        text = answer.read().decode("utf-8", "replace") if ends else ""
    assert answer.status_code < 500 or answer.status_code in (502, 503, 504, 507), (answer.status_code, text[:300])
    with street.app.log.open("rb") as log:
        log.seek(before)
        logged = log.read().decode("utf-8", "replace")
    for said in (text, logged):
        assert not [
            one for one in ("Traceback (most", str(ROOT), "site-packages", *street.tokens.values()) if one in said
        ], said
