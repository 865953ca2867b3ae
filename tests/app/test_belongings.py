"""Whose Gradio's files and calls are, and that no mark outlives its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.web.belongings import Files

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
