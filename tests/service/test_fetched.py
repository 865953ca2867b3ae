"""What is fetched from the Hub leaves room on the disk, and what nobody used for long goes first."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.service import fetched
from components.service.errors import WorkbenchError
from components.service.fetched import Fetched
from components.service.settings import Settings

SIZE = 1000


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fetched]:
    """`shelf(**limits)`: room for three repositories, of which each may go as soon as it was read."""
    monkeypatch.setattr(fetched, "RESTING", 0.0)

    def made(**limits: object) -> Fetched:
        given = {"public": True, "fetched_bytes": 3 * SIZE, "free_disk_bytes": 0, **limits}
        return Fetched(Settings(home=tmp_path / "home", cache=tmp_path / "cache", **given))  # type: ignore[arg-type]

    return made


def fetch(shelf: Fetched, folder: Path, size: int = SIZE) -> Path:
    with shelf.arriving(folder, size):
        (folder / "blobs").mkdir(parents=True)
        (folder / "blobs" / "weights").write_bytes(bytes(size))
        (folder / "snapshots").symlink_to("blobs")
    return folder


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").iterdir())


def test_what_was_not_used_for_longest_makes_room(shelf: Callable[..., Fetched], tmp_path: Path) -> None:
    kept = shelf()
    for name in "abc":
        fetch(kept, tmp_path / "cache" / name)
    kept.use(tmp_path / "cache" / "a")
    fetch(kept, tmp_path / "cache" / "d")
    assert names(tmp_path) == ["a", "c", "d"]
    fetch(kept, tmp_path / "cache" / "e", 2 * SIZE)
    assert names(tmp_path) == ["d", "e"]
    # Another process knows whose they are, too.
    fetch(shelf(), tmp_path / "cache" / "f")
    assert "f" in names(tmp_path)
    assert len(names(tmp_path)) == 2


def test_what_lay_there_before_or_is_needed_stays(shelf: Callable[..., Fetched], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "theirs").mkdir(parents=True)
    (cache / "theirs" / "weights").write_bytes(bytes(10 * SIZE))
    kept = shelf()
    kept.spare(lambda: [cache / "a" / "snapshots" / "commit"])
    for name in "abcde":
        fetch(kept, cache / name)
    assert names(tmp_path) == ["a", "d", "e", "theirs"]
    fetch(kept, cache / "theirs")
    fetch(kept, cache / "f")
    assert names(tmp_path) == ["a", "e", "f", "theirs"]


def test_where_nothing_may_go_one_is_told_and_nothing_is_deleted(
    shelf: Callable[..., Fetched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = shelf()
    for name in "abc":
        fetch(kept, tmp_path / "cache" / name)
    monkeypatch.setattr(fetched, "RESTING", 300.0)
    with pytest.raises(WorkbenchError, match="no room on the app's disk") as told:
        fetch(kept, tmp_path / "cache" / "d")
    assert told.value.kind == "disk"
    assert names(tmp_path) == ["a", "b", "c"]
    monkeypatch.setattr(fetched, "RESTING", 0.0)
    with pytest.raises(WorkbenchError), kept.arriving(tmp_path / "cache" / "x", 2 * SIZE):
        fetch(kept, tmp_path / "cache" / "y", 2 * SIZE)  # both together are more than there is room for
    assert "y" not in names(tmp_path)


@pytest.mark.parametrize("public", [True, False])
def test_a_disk_that_is_nearly_full_takes_nothing(shelf: Callable[..., Fetched], tmp_path: Path, public: bool) -> None:
    free = shutil.disk_usage(tmp_path).free
    kept = shelf(public=public, fetched_bytes=10**15, free_disk_bytes=free // 2)
    fetch(kept, tmp_path / "cache" / "a")
    with pytest.raises(WorkbenchError, match="no room"), kept.arriving(tmp_path / "cache" / "b", free):
        raise AssertionError("there is no room for it")
    assert names(tmp_path) == ["a"]


def test_on_one_s_own_machine_nothing_goes_unasked(shelf: Callable[..., Fetched], tmp_path: Path) -> None:
    kept = shelf(public=False)
    for name in "abcde":
        fetch(kept, tmp_path / "cache" / name)
    assert len(names(tmp_path)) == 5
