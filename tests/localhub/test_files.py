"""Reading: trees, single files, byte ranges, snapshots."""

import hashlib
import os
import random
from pathlib import Path

import pytest
from huggingface_hub import RepoFolder
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RevisionNotFoundError

LARGE = random.Random(7).randbytes(3_000_000)


@pytest.fixture(scope="module")
def filled(hub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "small.txt").write_text("0123456789")
    (folder / "deep" / "er" / "naïve name +%#?&=1.txt").write_text("odd")
    (folder / "deep" / "large.bin").write_bytes(LARGE)
    (folder / "empty.txt").touch()
    api = hub.api()
    api.create_repo("ada/filled")
    api.upload_folder(repo_id="ada/filled", folder_path=folder)
    yield api
    api.delete_repo("ada/filled")


def test_a_tree_lists_files_and_folders_with_their_sizes(filled):
    top = {entry.path: entry for entry in filled.list_repo_tree("ada/filled")}
    assert set(top) == {".gitattributes", "small.txt", "empty.txt", "deep"}
    assert isinstance(top["deep"], RepoFolder)
    assert (top["small.txt"].size, top["empty.txt"].size) == (10, 0)
    everything = {entry.path: entry for entry in filled.list_repo_tree("ada/filled", recursive=True)}
    large = everything["deep/large.bin"]
    assert (large.size, large.lfs.sha256) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    assert [entry.path for entry in filled.list_repo_tree("ada/filled", "deep/er")] == [
        "deep/er/naïve name +%#?&=1.txt"
    ]


def test_an_expanded_tree_names_the_last_commit_of_each_file(filled, repo):
    for name in ("one", "two"):
        filled.upload_file(path_or_fileobj=name.encode(), path_in_repo=f"{name}.txt", repo_id=repo, commit_message=name)
    found = {entry.path: entry for entry in filled.list_repo_tree(repo, expand=True)}
    assert {path: entry.last_commit.title for path, entry in found.items()} == {
        ".gitattributes": "initial commit",
        "one.txt": "one",
        "two.txt": "two",
    }


def test_a_missing_folder_is_told_apart_from_an_empty_list(filled):
    with pytest.raises(EntryNotFoundError):
        list(filled.list_repo_tree("ada/filled", "nothing"))
    with pytest.raises(RevisionNotFoundError):
        list(filled.list_repo_tree("ada/filled", revision="nothing"))


def test_long_trees_come_in_pages(http, filled):
    first = http.get("/api/models/ada/filled/tree/main", params={"limit": 3})
    assert len(first.json()) == 3
    assert len(http.get(first.links["next"]["url"]).json()) == 1


def test_paths_are_described_and_missing_ones_left_out(filled):
    found = filled.get_paths_info("ada/filled", ["deep", "small.txt", "nothing", "deep/large.bin"], expand=True)
    assert [entry.path for entry in found] == ["deep", "small.txt", "deep/large.bin"]


def test_files_are_downloaded_as_they_were_sent(filled, tmp_path):
    names = ["small.txt", "empty.txt", "deep/large.bin", "deep/er/naïve name +%#?&=1.txt"]
    content = [Path(filled.hf_hub_download("ada/filled", name)).read_bytes() for name in names]
    assert content == [b"0123456789", b"", LARGE, b"odd"]


def test_a_snapshot_holds_every_file_and_is_kept_by_commit(filled, tmp_path):
    commit = filled.model_info("ada/filled").sha
    folder = filled.snapshot_download("ada/filled", cache_dir=tmp_path / "snapshots")
    assert folder.endswith(commit)
    found = {os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names}
    assert found == set(filled.list_repo_files("ada/filled"))
    assert filled.snapshot_download("ada/filled", revision=commit[:10], cache_dir=tmp_path / "snapshots") == folder


def test_the_headers_of_a_small_and_a_large_file(http, filled):
    small = http.head("/ada/filled/resolve/main/small.txt", headers={"Accept-Encoding": "identity"})
    assert small.headers["x-repo-commit"] == filled.model_info("ada/filled").sha
    assert small.headers["content-length"] == "10"
    blob = hashlib.sha1(b"blob 10\x000123456789").hexdigest()
    assert small.headers["etag"] == f'"{blob}"'
    large = http.head("/ada/filled/resolve/main/deep/large.bin")
    assert large.headers["x-linked-etag"] == large.headers["etag"] == f'"{hashlib.sha256(LARGE).hexdigest()}"'
    assert large.headers["x-linked-size"] == large.headers["content-length"] == str(len(LARGE))
    for answer in (small, large):
        assert answer.headers["accept-ranges"] == "bytes"
        assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "wanted", "status", "content"),
    [
        ("small.txt", "bytes=2-4", 206, b"234"),
        ("small.txt", "bytes=7-", 206, b"789"),
        ("small.txt", "bytes=-2", 206, b"89"),
        ("small.txt", "bytes=0-99", 206, b"0123456789"),
        ("small.txt", "bytes=10-", 416, None),
        ("small.txt", "lines=1-2", 200, b"0123456789"),
        ("small.txt", "bytes=x-y", 400, None),
        ("deep/large.bin", "bytes=0-9", 206, LARGE[:10]),
        ("deep/large.bin", "bytes=2999990-", 206, LARGE[-10:]),
        ("deep/large.bin", "bytes=-5", 206, LARGE[-5:]),
        ("deep/large.bin", "bytes=3000000-", 416, None),
    ],
)
def test_byte_ranges(http, filled, path, wanted, status, content):
    answer = http.get(f"/ada/filled/resolve/main/{path}", headers={"Range": wanted})
    assert answer.status_code == status
    if content is not None:
        assert answer.content == content
    if status == 206:
        assert answer.headers["content-range"].startswith("bytes ")
        assert int(answer.headers["content-length"]) == len(content)


def test_an_interrupted_download_goes_on_where_it_stopped(filled, tmp_path):
    sha = hashlib.sha256(LARGE).hexdigest()
    blobs = tmp_path / "cache" / "models--ada--filled" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{sha}.incomplete").write_bytes(LARGE[:1_000_000])
    with open(filled.hf_hub_download("ada/filled", "deep/large.bin"), "rb") as stream:
        assert stream.read() == LARGE


def test_a_missing_file_says_in_which_commit_it_is_missing(http, filled):
    assert not filled.file_exists("ada/filled", "nothing.txt")
    with pytest.raises(EntryNotFoundError) as missing:
        filled.hf_hub_download("ada/filled", "nothing.txt")
    assert not isinstance(missing.value, LocalEntryNotFoundError)
    answer = http.get("/ada/filled/resolve/main/deep")
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "EntryNotFound")
    assert answer.headers["x-repo-commit"] == filled.model_info("ada/filled").sha


def test_raw_gives_the_pointer_of_a_large_file(http, filled):
    assert http.get("/ada/filled/raw/main/small.txt").text == "0123456789"
    assert hashlib.sha256(LARGE).hexdigest() in http.get("/ada/filled/raw/main/deep/large.bin").text
