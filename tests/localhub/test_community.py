"""Discussions and pull requests."""

import threading

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RevisionNotFoundError

LARGE = b"\0" * 5000


def propose(api, repo, path="a.txt", content=b"proposed", **options):
    return api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo, create_pr=True, **options)


def read(api, repo, path, revision="main"):
    with open(api.hf_hub_download(repo, path, revision=revision), "rb") as stream:
        return stream.read()


def status_of(refused):
    return refused.value.response.status_code


def test_a_commit_opens_a_pull_request_and_leaves_the_branch_alone(hub, api, repo):
    head = api.model_info(repo).sha
    done = propose(hub.api("bob"), repo, commit_message="Better text", commit_description="Because")
    assert (done.pr_num, done.pr_revision) == (1, "refs/pr/1")
    assert done.pr_url == f"{hub.url}/{repo}/discussions/1"
    assert api.model_info(repo).sha == head
    assert read(api, repo, "a.txt", "refs/pr/1") == b"proposed"
    found = api.get_discussion_details(repo, 1)
    assert (found.title, found.author, found.status, found.is_pull_request) == ("Better text", "bob", "open", True)
    assert (found.target_branch, found.conflicting_files, found.git_reference) == ("refs/heads/main", [], "refs/pr/1")
    assert [event.type for event in found.events] == ["comment", "commit"]
    assert (found.events[0].content, found.events[1].oid) == ("Because", done.oid)
    assert "+proposed" in found.diff
    assert [ref.ref for ref in api.list_repo_refs(repo, include_pull_requests=True).pull_requests] == ["refs/pr/1"]


def test_a_pull_request_is_filled_opened_and_merged(hub, api, repo):
    bob = hub.api("bob")
    pull = bob.create_pull_request(repo, title="Weights", description="In two steps")
    assert (pull.num, pull.status, pull.diff) == (1, "draft", "")
    for path, content in (("w.bin", LARGE), ("a.txt", b"text")):
        bob.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo, revision=pull.git_reference)
    bob.change_discussion_status(repo, 1, "open", comment="Please look")
    api.upload_file(path_or_fileobj=b"other", path_in_repo="b.txt", repo_id=repo)
    with pytest.raises(HfHubHTTPError) as refused:
        bob.merge_pull_request(repo, 1)
    assert status_of(refused) == 403
    api.merge_pull_request(repo, 1, comment="Thanks")
    found = api.get_discussion_details(repo, 1)
    assert (found.status, found.merge_commit_oid) == ("merged", api.model_info(repo).sha)
    assert [event.type for event in found.events][-2:] == ["comment", "status-change"]
    assert (read(api, repo, "w.bin"), read(api, repo, "a.txt"), read(api, repo, "b.txt")) == (LARGE, b"text", b"other")
    last = api.list_repo_commits(repo)[0]
    assert (last.title, last.authors) == ("Weights (#1)", ["bob"])
    for again in (lambda: api.merge_pull_request(repo, 1), lambda: api.change_discussion_status(repo, 1, "closed")):
        with pytest.raises(BadRequestError):
            again()


def test_a_pull_request_that_conflicts_names_the_files_and_is_not_merged(api, repo):
    api.upload_file(path_or_fileobj=b"0", path_in_repo="a.txt", repo_id=repo)
    propose(api, repo, content=b"1")
    api.upload_file(path_or_fileobj=b"2", path_in_repo="a.txt", repo_id=repo)
    head = api.model_info(repo).sha
    assert api.get_discussion_details(repo, 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match=r"changed on both sides: a\.txt") as refused:
        api.merge_pull_request(repo, 1)
    assert (status_of(refused), api.model_info(repo).sha) == (409, head)


def test_large_files_on_both_sides_do_not_conflict(api, repo):
    propose(api, repo, "one.special", LARGE)
    api.upload_file(path_or_fileobj=LARGE + b"1", path_in_repo="two.special", repo_id=repo)
    api.merge_pull_request(repo, 1)
    rules = read(api, repo, ".gitattributes").decode()
    assert "one.special filter=lfs" in rules
    assert "two.special filter=lfs" in rules


def test_a_pull_request_may_go_to_another_branch(api, repo):
    api.create_branch(repo, branch="next")
    propose(api, repo, revision="next")
    assert api.get_discussion_details(repo, 1).target_branch == "refs/heads/next"
    api.merge_pull_request(repo, 1)
    assert (api.file_exists(repo, "a.txt"), api.file_exists(repo, "a.txt", revision="next")) == (False, True)
    with pytest.raises(RevisionNotFoundError):
        propose(api, repo, revision="nothing")


def test_several_commits_become_one_pull_request(api, repo, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(str(number))
    done = api.upload_folder(repo_id=repo, folder_path=tmp_path, create_pr=True, allow_patterns="*.txt")
    assert done.pr_num == 1
    api.create_commit(
        repo,
        [CommitOperationAdd("3.txt", b"3")],
        commit_message="more",
        revision=done.pr_revision,
        parent_commit=done.oid,
    )
    assert len(api.list_repo_files(repo, revision="refs/pr/1")) == 5
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_commit(
            repo, [CommitOperationAdd("4", b"")], commit_message="m", revision="refs/pr/1", parent_commit=done.oid
        )
    assert status_of(refused) == 412


def test_only_its_author_and_the_owner_add_to_a_pull_request_that_is_open(hub, api, repo):
    propose(hub.api("bob"), repo)
    add = {"path_or_fileobj": b"x", "path_in_repo": "x", "repo_id": repo, "revision": "refs/pr/1"}
    with pytest.raises(HfHubHTTPError) as refused:
        hub.api("cleo").upload_file(**add)
    assert status_of(refused) == 403
    api.upload_file(**add)
    hub.api("bob").change_discussion_status(repo, 1, "closed")
    with pytest.raises(HfHubHTTPError, match="closed") as refused:
        hub.api("bob").upload_file(**{**add, "path_or_fileobj": b"y"})
    assert status_of(refused) == 403
    with pytest.raises(RevisionNotFoundError):
        api.upload_file(**{**add, "revision": "refs/pr/9"})


def test_a_discussion_is_commented_edited_hidden_renamed_and_closed(hub, api, repo):
    bob = hub.api("bob")
    found = bob.create_discussion(repo, title="A question", description="Why?")
    assert (found.status, found.is_pull_request, found.git_reference) == ("open", False, None)
    answer = api.comment_discussion(repo, found.num, "Because <b>")
    assert answer.rendered == "<p>Because &lt;b&gt;</p>"
    edited = api.edit_discussion_comment(repo, found.num, answer.id, "Because of that")
    assert (edited.content, edited.edited, edited.number_of_edits) == ("Because of that", True, 2)
    renamed = bob.rename_discussion(repo, found.num, "A good question")
    assert (renamed.old_title, renamed.new_title) == ("A question", "A good question")
    with pytest.warns(UserWarning, match="irreversible"):
        assert api.hide_discussion_comment(repo, found.num, found.events[0].id).hidden
    assert api.change_discussion_status(repo, found.num, "closed", comment="Done").new_status == "closed"
    last = api.get_discussion_details(repo, found.num)
    assert [event.type for event in last.events] == ["comment", "comment", "title-change", "comment", "status-change"]
    assert (last.title, last.events[0].content, last.events[0].hidden) == ("A good question", "", True)


def test_what_others_wrote_is_changed_by_nobody_else(hub, api, repo):
    mine = api.create_discussion(repo, title="Mine", description="text")
    cleo = hub.api("cleo")
    cleo.comment_discussion(repo, mine.num, "I may comment")
    for change in (
        lambda: cleo.edit_discussion_comment(repo, mine.num, mine.events[0].id, "x"),
        lambda: cleo.rename_discussion(repo, mine.num, "another title"),
        lambda: cleo.change_discussion_status(repo, mine.num, "closed"),
    ):
        with pytest.raises(HfHubHTTPError) as refused:
            change()
        assert status_of(refused) == 403
    with pytest.raises(HfHubHTTPError) as refused:
        hub.api(None).create_discussion(repo, title="A title")
    assert status_of(refused) == 401


def test_discussions_are_filtered_and_come_in_pages(hub, api, repo):
    for number in range(52):
        api.create_discussion(repo, title=f"Question {number}")
    propose(hub.api("bob"), repo)
    api.change_discussion_status(repo, 1, "closed")
    assert [item.num for item in api.get_repo_discussions(repo)] == list(range(53, 0, -1))
    assert [item.num for item in api.get_repo_discussions(repo, discussion_type="pull_request")] == [53]
    assert [item.num for item in api.get_repo_discussions(repo, discussion_status="closed")] == [1]
    assert [item.num for item in api.get_repo_discussions(repo, author="bob")] == [53]


def test_discussions_of_a_data_set_and_a_private_repository(hub, api):
    api.create_repo("ada/talk", repo_type="dataset", private=True)
    made = api.create_discussion("ada/talk", title="About data", repo_type="dataset")
    assert (made.repo_id, made.repo_type) == ("ada/talk", "dataset")
    with pytest.raises(HfHubHTTPError, match="Repository Not Found"):
        list(hub.api("bob").get_repo_discussions("ada/talk", repo_type="dataset"))
    api.delete_repo("ada/talk", repo_type="dataset")


def test_proposals_made_at_the_same_time_get_numbers_of_their_own(hub, api, repo):
    numbers = []
    writers = [
        threading.Thread(target=lambda n=n: numbers.append(propose(hub.api("bob"), repo, f"{n}.txt").pr_num))
        for n in range(6)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("", {"title": ""}, 400),
        ("", {"title": 3}, 400),
        ("", {"title": "x" * 201}, 400),
        ("", {"title": "t", "description": ["x"]}, 400),
        ("/1/comment", {"comment": " "}, 400),
        ("/1/comment", {"comment": "x" * 65_537}, 400),
        ("/1/status", {"status": "merged"}, 400),
        ("/1/merge", {}, 400),
        ("/1/dance", {}, 404),
        ("/9/comment", {"comment": "x"}, 404),
        ("/..%2f1/comment", {"comment": "x"}, 404),
        ("/²/comment", {"comment": "x"}, 404),
        ("/1/comment/0123/edit", {"content": "x"}, 404),
        ("/1/comment/0123/title", {"title": "x"}, 404),
    ],
)
def test_a_wrong_request_about_a_discussion_is_refused_in_words(api, http, repo, address, body, status):
    api.create_discussion(repo, title="First")
    answer = http.post(f"/api/models/{repo}/discussions{address}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
