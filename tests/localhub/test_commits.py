"""Commits, branches and tags."""

import json
import threading

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    HfHubHTTPError,
    RevisionNotFoundError,
)


def add(path, content=b"x"):
    return CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)


def files(api, repo, **options):
    return [path for path in api.list_repo_files(repo, **options) if path != ".gitattributes"]


def test_one_commit_adds_deletes_and_copies(api, repo):
    api.create_commit(
        repo, [add("a.txt"), add("d/b.txt"), add("d/c.txt"), add("w.bin", b"\0" * 99)], commit_message="1"
    )
    done = api.create_commit(
        repo,
        [
            CommitOperationDelete("a.txt"),
            CommitOperationDelete("d/"),
            CommitOperationCopy("w.bin", "copy.bin"),
            add("new.txt"),
        ],
        commit_message="second",
        commit_description="with a text",
    )
    assert files(api, repo) == ["copy.bin", "new.txt", "w.bin"]
    last = api.list_repo_commits(repo)[0]
    assert (last.commit_id, last.title, last.message, last.authors) == (done.oid, "second", "with a text", ["ada"])
    assert done.repo_url.repo_id == repo


def test_an_older_commit_stays_readable(api, repo):
    first = api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo).oid
    api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id=repo)
    with open(api.hf_hub_download(repo, "a", revision=first)) as old, open(api.hf_hub_download(repo, "a")) as new:
        assert (old.read(), new.read()) == ("1", "2")


def test_a_file_that_did_not_change_is_not_committed_again(api, repo):
    first = api.create_commit(repo, [add("a"), add("b.bin", b"\0x")], commit_message="1").oid
    assert api.create_commit(repo, [add("a"), add("b.bin", b"\0x")], commit_message="2").oid == first


def test_deleting_what_is_not_there_is_refused(api, repo):
    for operation in (CommitOperationDelete("nothing"), CommitOperationDelete("nothing/")):
        with pytest.raises(EntryNotFoundError):
            api.create_commit(repo, [operation], commit_message="m")


def test_a_commit_on_a_stale_parent_is_refused(api, repo):
    parent = api.model_info(repo).sha
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo, parent_commit=parent)
    with pytest.raises(HfHubHTTPError) as refused:
        api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id=repo, parent_commit=parent)
    assert refused.value.response.status_code == 412


def test_writers_at_the_same_time_all_land(hub, api, repo):
    errors = []

    def write(number):
        try:
            hub.api().create_commit(repo, [add(f"{number}.txt")], commit_message=str(number))
        except HfHubHTTPError as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not errors
    assert files(api, repo) == [f"{number}.txt" for number in range(8)]
    assert len(api.list_repo_commits(repo)) == 9


def test_of_writers_with_one_parent_exactly_one_lands(hub, api, repo):
    parent = api.model_info(repo).sha
    statuses = []

    def write(number):
        try:
            hub.api().create_commit(repo, [add("a", b"%d" % number)], commit_message="m", parent_commit=parent)
            statuses.append(200)
        except HfHubHTTPError as error:
            statuses.append(error.response.status_code)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(statuses) == [200, 412, 412, 412, 412]


def test_a_commit_with_one_bad_operation_changes_nothing(api, repo, http):
    head = api.model_info(repo).sha
    lines = [
        {"key": "header", "value": {"summary": "half"}},
        {"key": "file", "value": {"path": "good.txt", "content": "eA==", "encoding": "base64"}},
        {"key": "file", "value": {"path": "../bad.txt", "content": "eA==", "encoding": "base64"}},
    ]
    answer = http.post(f"/api/models/{repo}/commit/main", content="\n".join(map(json.dumps, lines)))
    assert answer.status_code == 400
    assert api.model_info(repo).sha == head


@pytest.mark.parametrize(
    ("second", "lands"),
    [
        ([add("a/b")], False),
        ([add("d")], False),
        ([CommitOperationDelete("a"), add("a/b")], True),
        ([CommitOperationDelete("d/"), add("d")], True),
    ],
)
def test_a_path_is_never_a_file_and_a_folder(api, repo, second, lands):
    api.create_commit(repo, [add("a"), add("d/x")], commit_message="1")
    if lands:
        api.create_commit(repo, second, commit_message="2")
        assert files(api, repo)
    else:
        with pytest.raises(BadRequestError):
            api.create_commit(repo, second, commit_message="2")


def test_ignored_files_are_left_out(api, repo, tmp_path):
    (tmp_path / "f").mkdir()
    for name, content in ((".gitignore", "*.log\nbuild/\n"), ("a.log", "x"), ("b.txt", "x")):
        (tmp_path / "f" / name).write_text(content)
    api.upload_folder(repo_id=repo, folder_path=tmp_path / "f")
    assert files(api, repo) == [".gitignore", "b.txt"]


def test_upload_folder_can_delete_what_is_gone(api, repo, tmp_path):
    api.create_commit(repo, [add("old-1.txt"), add("old-2.txt"), add("keep.md")], commit_message="1")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "new.txt").write_text("new")
    api.upload_folder(repo_id=repo, folder_path=tmp_path / "f", delete_patterns="*.txt")
    assert files(api, repo) == ["keep.md", "new.txt"]


def test_files_are_copied_between_repositories_with_their_content(api, repo):
    api.create_repo("ada/source")
    api.create_commit("ada/source", [add("w.bin", b"\0" * 5000)], commit_message="1")
    copy = {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256"}}
    (entry,) = api.get_paths_info("ada/source", "w.bin")
    copy["value"]["oid"] = entry.lfs.sha256
    from huggingface_hub.utils import get_session

    lines = [{"key": "header", "value": {"summary": "copy"}}, copy]
    answer = get_session().post(
        f"{api.endpoint}/api/models/{repo}/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert answer.status_code == 200
    api.delete_repo("ada/source")
    with open(api.hf_hub_download(repo, "w.bin"), "rb") as stream:
        assert stream.read() == b"\0" * 5000


def test_branches_and_tags_come_and_go(api, repo):
    first = api.model_info(repo).sha
    api.create_branch(repo, branch="feature/x")
    api.create_tag(repo, tag="v1.0", tag_message="first")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_branch(repo, branch="feature/x")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(repo, tag="v1.0")
    api.create_branch(repo, branch="feature/x", exist_ok=True)
    api.upload_file(path_or_fileobj=b"x", path_in_repo="a", repo_id=repo, revision="feature/x")
    assert files(api, repo, revision="feature/x") == ["a"]
    assert files(api, repo) == files(api, repo, revision="v1.0") == []
    refs = api.list_repo_refs(repo, include_pull_requests=True)
    assert {branch.name for branch in refs.branches} == {"main", "feature/x"}
    assert [(tag.name, tag.ref, tag.target_commit) for tag in refs.tags] == [("v1.0", "refs/tags/v1.0", first)]
    assert refs.pull_requests == []
    api.create_branch(repo, branch="from-first", revision=first)
    api.delete_branch(repo, branch="feature/x")
    api.delete_tag(repo, tag="v1.0")
    for missing in (lambda: api.delete_branch(repo, branch="feature/x"), lambda: api.delete_tag(repo, tag="v1.0")):
        with pytest.raises(RevisionNotFoundError):
            missing()
    with pytest.raises(HfHubHTTPError, match="403"):
        api.delete_branch(repo, branch="main")


def test_a_branch_that_would_hide_another_is_refused(api, repo):
    api.create_branch(repo, branch="a")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_branch(repo, branch="a/b")
    assert refused.value.response.status_code == 409


def test_a_commit_to_a_branch_that_is_not_there_is_refused(api, repo):
    with pytest.raises(RevisionNotFoundError):
        api.upload_file(path_or_fileobj=b"x", path_in_repo="a", repo_id=repo, revision="nothing")


def test_commits_come_in_pages_newest_first(api, repo, http):
    for number in range(3):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="a", repo_id=repo, commit_message=str(number))
    first = http.get(f"/api/models/{repo}/commits/main", params={"limit": 2})
    assert [commit["title"] for commit in first.json()] == ["2", "1"]
    second = http.get(first.links["next"]["url"])
    assert [commit["title"] for commit in second.json()] == ["0", "initial commit"]
    assert "next" not in second.links
