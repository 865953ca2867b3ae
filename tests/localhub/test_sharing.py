"""The clients' other ways: large uploads, file systems, copies, likes, squashed histories, deleted large files."""

import hashlib
import os
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfFileSystem
from huggingface_hub.errors import HfHubHTTPError

LARGE = os.urandom(200_000)


@pytest.fixture
def filled(api, repo):
    api.create_commit(
        repo,
        [
            CommitOperationAdd("a.txt", b"0123456789"),
            CommitOperationAdd("d/b.txt", b"b"),
            CommitOperationAdd("d/w.bin", LARGE),
        ],
        commit_message="fill",
    )
    return repo


def test_a_folder_of_many_files_goes_up_and_then_only_what_changed(api, repo, tmp_path):
    for number in range(150):
        folder = tmp_path / f"d{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.{'bin' if number % 10 == 0 else 'txt'}").write_bytes(b"\0%d" % number)
    first = api.upload_folder(repo_id=repo, folder_path=tmp_path, ignore_patterns="cache/*").oid
    found = [path for path in api.list_repo_files(repo) if path.startswith("d")]
    assert len(found) == 150
    assert Path(api.hf_hub_download(repo, "d0/0.bin")).read_bytes() == b"\x000"
    (tmp_path / "d0" / "0.bin").write_bytes(b"\0 changed")
    second = api.upload_folder(repo_id=repo, folder_path=tmp_path, ignore_patterns="cache/*").oid
    assert [commit.commit_id for commit in api.list_repo_commits(repo)][:2] == [second, first]
    assert Path(api.hf_hub_download(repo, "d0/0.bin")).read_bytes() == b"\0 changed"


def test_a_file_system_lists_reads_writes_copies_and_deletes(hub, api, filled):
    files = HfFileSystem(endpoint=hub.url, token=api.token, skip_instance_cache=True)
    assert sorted(files.ls(filled, detail=False)) == [f"{filled}/.gitattributes", f"{filled}/a.txt", f"{filled}/d"]
    assert sorted(files.glob(f"{filled}/**/*.txt")) == [f"{filled}/a.txt", f"{filled}/d/b.txt"]
    assert files.info(f"{filled}/d/w.bin")["size"] == len(LARGE)
    with files.open(f"{filled}/d/w.bin", "rb") as stream:
        stream.seek(100_000)
        assert stream.read(10) == LARGE[100_000:100_010]
    with files.open(f"{filled}/new/c.txt", "w") as stream:
        stream.write("written")
    assert files.read_text(f"{filled}/new/c.txt") == "written"
    files.cp_file(f"{filled}/d/w.bin", f"{filled}/copy.bin")
    files.cp_file(f"{filled}/a.txt", f"{filled}/copy.txt")
    assert files.cat(f"{filled}/copy.bin") == LARGE
    files.rm(f"{filled}/d", recursive=True)
    files.rm(f"{filled}/a.txt")
    files.invalidate_cache()
    assert not files.exists(f"{filled}/d")
    assert sorted(api.list_repo_files(filled)) == [".gitattributes", "copy.bin", "copy.txt", "new/c.txt"]


def test_a_copy_has_the_whole_history_and_a_life_of_its_own(hub, api, filled):
    api.create_tag(filled, tag="v1")
    api.create_branch(filled, branch="downloads")
    api.create_discussion(filled, title="Stays behind")
    url = hub.api("bob").duplicate_repo(filled, "bob/copy")
    assert url.repo_id == "bob/copy"
    assert hub.api("bob").model_info("bob/copy").sha == api.model_info(filled).sha
    refs = api.list_repo_refs("bob/copy", include_pull_requests=True)
    assert ([tag.name for tag in refs.tags], len(refs.branches), refs.pull_requests) == (["v1"], 2, [])
    assert list(api.get_repo_discussions("bob/copy")) == []
    api.delete_repo(filled)
    assert Path(api.hf_hub_download("bob/copy", "d/w.bin")).read_bytes() == LARGE
    with pytest.raises(HfHubHTTPError, match="403"):
        api.duplicate_repo("bob/copy", "bob/other")
    with pytest.raises(HfHubHTTPError, match="409"):
        hub.api("bob").duplicate_repo("bob/copy", "bob/copy")
    assert hub.api("bob").duplicate_repo("bob/copy", "bob/copy", exist_ok=True).repo_id == "bob/copy"
    hub.api("bob").delete_repo("bob/copy")


def test_a_copy_of_a_private_repository_is_private(hub, api, filled):
    api.update_repo_settings(filled, private=True)
    with pytest.raises(HfHubHTTPError, match="Repository Not Found"):
        hub.api("bob").duplicate_repo(filled, "bob/stolen")
    api.duplicate_repo(filled, "ada/private-copy")
    assert api.model_info("ada/private-copy").private
    api.delete_repo("ada/private-copy")


def test_a_squashed_history_is_one_commit_with_the_same_files(api, filled):
    before = api.list_repo_files(filled)
    api.super_squash_history(filled, commit_message="All of it")
    assert [commit.title for commit in api.list_repo_commits(filled)] == ["All of it"]
    assert api.list_repo_files(filled) == before
    with pytest.raises(HfHubHTTPError, match="404"):
        api.super_squash_history(filled, branch="nothing")


@pytest.mark.parametrize("rewrite", [True, False])
def test_large_files_are_listed_and_deleted_for_good(hub, api, filled, rewrite):
    api.upload_file(path_or_fileobj=LARGE[::-1], path_in_repo="kept.bin", repo_id=filled)
    found = {file.filename: file for file in api.list_lfs_files(filled)}
    assert {name: file.size for name, file in found.items()} == {"d/w.bin": len(LARGE), "kept.bin": len(LARGE)}
    assert found["d/w.bin"].file_oid == hashlib.sha256(LARGE).hexdigest()
    api.permanently_delete_lfs_files(filled, [found["d/w.bin"]], rewrite_history=rewrite)
    assert [file.filename for file in api.list_lfs_files(filled)] == ["kept.bin"]
    assert api.file_exists(filled, "d/w.bin") is not rewrite
    assert Path(api.hf_hub_download(filled, "kept.bin")).read_bytes() == LARGE[::-1]
    assert len(api.list_repo_commits(filled)) == 3
    with pytest.raises(HfHubHTTPError, match="403"):
        list(hub.api("bob").list_lfs_files(filled))


def test_likes_are_counted_listed_and_taken_back(hub, api, http, repo):
    assert http.post(f"/api/models/{repo}/like").is_success
    assert api.model_info(repo).likes == 1
    assert [user.username for user in api.list_repo_likers(repo)] == ["ada"]
    assert hub.api("bob").list_liked_repos("ada").models == [repo]
    assert next(iter(api.list_models(sort="likes", limit=1))).id == repo
    api.unlike(repo)
    assert api.list_liked_repos().total == api.model_info(repo).likes == 0


def test_a_space_has_a_kit_and_is_found(api):
    api.create_repo("ada/space", repo_type="space", space_sdk="gradio")
    card = b"---\nsdk: gradio\ntags: [demo]\n---\n"
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="ada/space", repo_type="space")
    info = api.space_info("ada/space")
    assert (info.sdk, info.tags) == ("gradio", ["gradio", "demo", "region:us"])
    assert [space.id for space in api.list_spaces(filter="demo")] == ["ada/space"]
    api.delete_repo("ada/space", repo_type="space")


def test_checksums_of_a_download_are_verified(api, filled, tmp_path):
    api.snapshot_download(filled, local_dir=tmp_path / "copy")
    assert not api.verify_repo_checksums(filled, local_dir=tmp_path / "copy").mismatches
    (tmp_path / "copy" / "a.txt").write_text("changed")
    assert len(api.verify_repo_checksums(filled, local_dir=tmp_path / "copy").mismatches) == 1
