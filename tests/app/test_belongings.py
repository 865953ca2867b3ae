"""Whose Gradio's files and calls are, how many calls one visitor may have, and that no mark outlives its file."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.web.belongings import Belongings, Files

ADA, BOB = frozenset({"ada"}), frozenset({"bob"})
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def files(tmp_path: Path) -> Files:
    for digest in (ONE, TWO):
        (tmp_path / digest).mkdir()
        (tmp_path / digest / "a.csv").write_text("a")
    return Files(tmp_path)


def answer(files: Files, digest: str) -> bytes:
    return f'data: {{"path":"{files.folder}/{digest}/a.csv","url":null}}'.encode()


def test_a_file_is_its_owners_alone_and_one_that_is_noted_for_nobody_is_nobody_s(files: Files) -> None:
    files.note(answer(files, ONE), ADA)
    assert files.may(ONE, ADA)
    assert files.may(ONE, ADA | BOB)
    assert not files.may(ONE, BOB)
    assert not files.may(ONE, frozenset())
    assert not files.may(TWO, ADA)
    files.open_all({"image": {"path": f"{files.folder}/{TWO}/a.csv"}})
    assert files.may(TWO, BOB)
    assert files.may("3" * 64, BOB)


def test_what_an_answer_only_repeats_as_text_is_not_given_by_it(files: Files) -> None:
    repeated = f'{{"text": "{{\\"path\\": \\"{files.folder}/{ONE}/a.csv\\"}}", "said": "{files.folder}/{ONE}/a.csv"}}'
    files.note(repeated.encode(), BOB)
    assert not files.may(ONE, BOB)
    files.note(f'["{files.folder}/{ONE}/a.csv"]'.encode(), BOB, every=True)
    assert files.may(ONE, BOB)


def test_the_marks_of_files_that_are_gone_are_swept_away_once_they_are_old(files: Files) -> None:
    for digest in (ONE, TWO):
        files.mark(digest, ADA)
    (files.folder / ONE / "a.csv").unlink()
    files.sweep()
    assert (files.folder / ONE).is_dir(), "somebody may be uploading the same again"
    os.utime(files.folder / ONE, (0, 0))
    files.sweep()
    assert not (files.folder / ONE).exists()
    assert files.may(TWO, ADA)


@pytest.mark.parametrize(
    "path", ["/gradio_api/call/run_task", "/gradio_api/call/v2/run_task", "/gradio_api/queue/join"]
)
def test_a_greedy_visitor_is_refused_in_a_sentence_and_others_are_not(path: str, files: Files) -> None:
    unfinished: list[str] = []
    numbers = itertools.count()

    async def call(_request: Request) -> JSONResponse:
        unfinished.append(f"event-{next(numbers)}")
        return JSONResponse({"event_id": unfinished[-1]})

    app = Belongings(
        Starlette(routes=[Route(path, call, methods=["POST"])]), files, lambda: unfinished, most=3, nameless=2
    )

    async def ask(token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app", headers=headers) as one:
            return await one.post(path, json={"data": []})

    async def story() -> list[int]:
        statuses = [(await ask("greedy")).status_code for _ in range(5)]
        refusal = (await ask("greedy")).json()["detail"]
        assert "3 calls" in refusal
        assert "Wait" in refusal
        statuses.append((await ask("modest")).status_code)
        unfinished.remove("event-1")
        statuses.append((await ask("greedy")).status_code)
        nameless = [await ask() for _ in range(3)]
        assert "all of them may have together" in nameless[2].json()["detail"]
        return [*statuses, *(one.status_code for one in nameless), (await ask("modest")).status_code]

    assert anyio.run(story) == [200, 200, 200, 503, 503, 200, 200, 200, 200, 503, 200]
