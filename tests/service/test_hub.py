"""Looking at the Hub and looking after one's own repositories, against a real embedded Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.catalog import Catalog
from components.service.contents import Contents
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.manage import Manager
from components.service.metrics import list_metrics
from components.service.repositories import Repositories
from components.service.transfer import Push
from components.service.visitor import Visitor

# The Hub client hands large files to its HTTP client in a way that the latter has come to deprecate.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

CARD = """---
license: mit
language: fr
library_name: transformers
pipeline_tag: text-classification
---
# Hello
![own](pic.png) and ![theirs](https://evil.example/track.png)
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "5a1b0d2a0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def hub(live_hub: Any) -> Hub:
    return Hub(live_hub.settings)


@pytest.fixture(scope="module")
def manager(hub: Hub) -> Manager:
    return Manager(hub)


@pytest.fixture(scope="module")
def contents(hub: Hub) -> Contents:
    return Contents(hub)


@pytest.fixture(scope="module")
def repositories(hub: Hub) -> Repositories:
    return Repositories(hub)


@pytest.fixture
def put(contents: Contents, live_hub: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Upload texts: `put(repo, {path: text}, ...)`."""

    def upload(repo: str, texts: dict[str, str | bytes], **options: Any) -> dict[str, Any]:
        files = []
        for number, (path, text) in enumerate(texts.items()):
            file = tmp_path / f"{number}"
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            files.append({"file": str(file), "path": path})
        return contents.upload_files(repo, files, **{"visitor": live_hub.ada, **options})

    return upload


@pytest.fixture(scope="module")
def repo(manager: Manager, live_hub: Any) -> str:
    return str(manager.create_repo("shelf", visitor=live_hub.ada)["repo"])


def test_a_repository_goes_through_its_whole_life(
    manager: Manager, contents: Contents, repositories: Repositories, put: Any, live_hub: Any
) -> None:
    ada = live_hub.ada
    made = manager.create_repo("life", visitor=ada)
    assert made["repo"] == "ada/life"
    assert made["private"]
    done = put("life", {"README.md": CARD, "pic.png": PIXEL, "data/train.csv": "a,b\n1,2\n"})
    assert done["files"] == ["README.md", "data/train.csv", "pic.png"]

    info = repositories.repo_info("ada/life", visitor=ada)
    assert info["commit"] == done["commit"]
    assert info["writable"]
    assert info["metadata"]["license"] == "mit"
    assert {file["name"] for file in info["files"]} >= {"README.md", "data/train.csv"}
    card = repositories.repo_card("ada/life", visitor=ada)
    assert card["text"] == CARD
    assert "![own](data:image/png;base64," in card["body"]
    assert "evil.example" not in card["body"]
    assert "license" not in card["body"]

    manager.create_tag("life", "v1", message="first", visitor=ada)
    manager.create_branch("life", "draft", visitor=ada)
    put("life", {"note.txt": "n"}, revision="draft")
    refs = repositories.list_refs("ada/life", visitor=ada)
    assert [ref["name"] for ref in refs["tags"]] == ["v1"]
    assert {ref["name"] for ref in refs["branches"]} == {"main", "draft"}
    assert len(repositories.list_commits("ada/life", visitor=ada)) == 2
    assert len(repositories.list_commits("ada/life", revision="draft", visitor=ada)) == 3
    manager.delete_branch("life", "draft", visitor=ada)
    manager.delete_tag("life", "v1", visitor=ada)
    assert repositories.list_refs("ada/life", visitor=ada)["tags"] == []

    contents.delete_file("life", "data/train.csv", visitor=ada)
    assert "data/train.csv" not in {f["name"] for f in repositories.list_files("ada/life", visitor=ada)}
    manager.set_visibility("life", False, visitor=ada)
    assert not repositories.repo_info("ada/life", visitor=live_hub.nobody)["private"]
    moved = manager.move_repo("life", "lab/life", visitor=ada)
    assert moved["address"].endswith("/lab/life")
    assert manager.delete_repo("lab/life", "lab/life", visitor=ada)["deleted"]
    with pytest.raises(WorkbenchError, match="has no lab/life"):
        repositories.repo_info("lab/life", visitor=ada)


@pytest.mark.parametrize("repo_type", ["dataset", "space"])
def test_data_sets_and_spaces_are_looked_after_alike(
    manager: Manager, repositories: Repositories, put: Any, live_hub: Any, repo_type: str
) -> None:
    name = f"some-{repo_type}"
    made = manager.create_repo(name, True, repo_type, visitor=live_hub.ada)
    assert made["address"].endswith(f"/{repo_type}s/ada/{name}")
    put(name, {"a.txt": "a"}, repo_type=repo_type)
    files = repositories.list_files(f"ada/{name}", None, repo_type, visitor=live_hub.ada)
    assert "a.txt" in {file["name"] for file in files}
    assert f"ada/{name}" in {row["id"] for row in manager.list_own(repo_type, visitor=live_hub.ada)}
    assert manager.list_own(repo_type, "lab", visitor=live_hub.ada) == []


def test_one_may_write_to_oneself_and_where_one_is_a_writer(manager: Manager, live_hub: Any) -> None:
    assert manager.list_namespaces(visitor=live_hub.ada) == ["ada", "lab"]
    assert set(manager.list_namespaces(visitor=live_hub.bob)) == {"bob", "lab", "club"}


REFUSALS: list[tuple[str, Callable[..., Any], str, str, str]] = [
    ("create in a stranger's namespace", lambda m, c: m.create_repo("bob/x", visitor=m.ada), "forbidden", "repo", ""),
    ("create where one only reads", lambda m, c: m.create_repo("club/x", visitor=m.ada), "forbidden", "repo", "club"),
    ("create what exists", lambda m, c: m.create_repo("shelf", visitor=m.ada), "conflict", "repo", "already have"),
    ("create without signing in", lambda m, c: m.create_repo("x", visitor=m.nobody), "forbidden", "", "Sign in"),
    ("create with a read token", lambda m, c: m.create_repo("x", visitor=m.reader), "forbidden", "", "only read"),
    ("create with a token of nobody", lambda m, c: m.create_repo("x", visitor=m.false), "forbidden", "", "token"),
    ("create something else", lambda m, c: m.create_repo("x", True, "bucket", visitor=m.ada), "input", "repo_type", ""),
    ("create by a path", lambda m, c: m.create_repo("../../etc", visitor=m.ada), "input", "repo", "cannot be the name"),
    ("delete, wrong name typed", lambda m, c: m.delete_repo("shelf", "shelf", visitor=m.ada), "input", "confirm", ""),
    ("delete, no name typed", lambda m, c: m.delete_repo("ada/shelf", visitor=m.ada), "input", "confirm", "ada/shelf"),
    ("delete a stranger's", lambda m, c: m.delete_repo("ada/shelf", "ada/x", visitor=m.bob), "forbidden", "repo", ""),
    ("delete what is not there", lambda m, c: m.delete_repo("no", "ada/no", visitor=m.ada), "not_found", "repo", "no"),
    ("show a stranger's", lambda m, c: m.set_visibility("ada/shelf", False, visitor=m.bob), "forbidden", "repo", ""),
    ("show, read token", lambda m, c: m.set_visibility("ada/shelf", False, visitor=m.reader), "forbidden", "", "read"),
    ("move to a stranger", lambda m, c: m.move_repo("shelf", "bob/shelf", visitor=m.ada), "forbidden", "to", "bob"),
    ("move onto itself", lambda m, c: m.move_repo("shelf", "ada/shelf", visitor=m.ada), "input", "to", "already"),
    ("move onto another", lambda m, c: m.move_repo("shelf", "other", visitor=m.ada), "conflict", "to", "name"),
    ("branch of a stranger", lambda m, c: m.create_branch("ada/shelf", "b", visitor=m.bob), "forbidden", "repo", ""),
    ("branch twice", lambda m, c: m.create_branch("shelf", "main", visitor=m.ada), "conflict", "branch", "main"),
    ("branch from none", lambda m, c: m.create_branch("shelf", "b", "x", visitor=m.ada), "not_found", "revision", ""),
    ("branch by a path", lambda m, c: m.create_branch("shelf", "../b", visitor=m.ada), "input", "branch", "name"),
    ("delete main", lambda m, c: m.delete_branch("shelf", "main", visitor=m.ada), "input", "branch", "main"),
    ("delete no tag", lambda m, c: m.delete_tag("shelf", "v9", visitor=m.ada), "not_found", "revision", "revision"),
    ("tag with a space", lambda m, c: m.create_tag("shelf", "v 1", visitor=m.ada), "input", "tag", "name"),
    ("upload to a stranger", lambda m, c: c("bob/x", {"a": "a"}), "forbidden", "repo", "bob"),
    ("upload to nothing", lambda m, c: c("nothing", {"a": "a"}), "not_found", "repo", "nothing"),
    ("upload nothing", lambda m, c: c("shelf", {}), "input", "files", "at least one"),
    ("upload over a file", lambda m, c: c("shelf", {".gitattributes": "x"}), "conflict", "files", "already holds"),
    ("upload, stale parent", lambda m, c: c("shelf", {"b": "b"}, parent_commit="0" * 40), "busy", "repo", "meanwhile"),
    ("upload, read token", lambda m, c: c("shelf", {"b": "b"}, visitor=m.reader), "forbidden", "", "only read"),
    ("upload, anonymous", lambda m, c: c("ada/shelf", {"b": "b"}, visitor=m.nobody), "forbidden", "", "Sign in"),
    ("upload to no branch", lambda m, c: c("shelf", {"b": "b"}, revision="no"), "not_found", "revision", "revision"),
    *[
        (f"upload to {path!r}", lambda m, c, path=path: c("shelf", {path: "x"}), "input", "path", "not a path")
        for path in ("../x", "a/../../x", "/etc/x", "a//b", ".git/config", ".GIT/b", "a\\b", "C:/x", "a\nb", "x" * 300)
    ],
    ("delete no file", lambda m, c: m.contents.delete_file("shelf", "no.txt", visitor=m.ada), "not_found", "path", ""),
    ("delete up", lambda m, c: m.contents.delete_file("shelf", "../a", visitor=m.ada), "input", "path", "not a path"),
    (
        "delete, stale parent",
        lambda m, c: m.contents.delete_file("shelf", ".gitattributes", parent_commit="0" * 40, visitor=m.ada),
        "busy", "repo", "meanwhile",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "kind", "field", "said"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_what_one_may_not_do_is_refused_in_a_sentence(
    hub: Hub, repo: str, put: Any, live_hub: Any, act: Callable[..., Any], kind: str, field: str, said: str
) -> None:
    class Acting(Manager):
        """A manager that knows who is acting."""

        ada, bob, reader, nobody = live_hub.ada, live_hub.bob, live_hub.reader, live_hub.nobody
        false = Visitor("user:eve", "hf_nobody_has_this_one")

    acting = Acting(hub)
    if "other" not in {row["id"].partition("/")[2] for row in acting.list_own(visitor=live_hub.ada)}:
        acting.create_repo("other", visitor=live_hub.ada)
    before = acting.contents.head(repo, visitor=live_hub.ada)
    with pytest.raises(WorkbenchError) as refused:
        act(acting, put)
    assert refused.value.kind == kind
    assert (refused.value.field or "") == field
    assert said.lower() in refused.value.message.lower()
    assert refused.value.message.rstrip().endswith((".", "!"))
    assert "hf_" not in refused.value.message
    assert acting.contents.head(repo, visitor=live_hub.ada) == before


def test_a_file_is_replaced_only_when_asked(put: Any, repo: str) -> None:
    put(repo, {"kept.txt": "one"})
    with pytest.raises(WorkbenchError, match=r"kept\.txt"):
        put(repo, {"kept.txt": "two"})
    assert put(repo, {"kept.txt": "two"}, update=True)["commit"]


def test_a_private_repository_is_nowhere_for_others(
    repositories: Repositories, hub: Hub, repo: str, live_hub: Any
) -> None:
    for visitor in (live_hub.bob, live_hub.nobody):
        for ask in (repositories.repo_info, repositories.list_commits, repositories.list_refs, repositories.repo_card):
            with pytest.raises(WorkbenchError, match=f"has no {repo}"):
                ask(repo, visitor=visitor)
        assert Catalog(hub).search_models("shelf", visitor=visitor) == []


def test_one_may_propose_files_to_a_repository_of_somebody_else(
    manager: Manager, repositories: Repositories, put: Any, live_hub: Any
) -> None:
    manager.create_repo("bob/open", False, visitor=live_hub.bob)
    done = put("bob/open", {"idea.txt": "idea"}, create_pr=True)
    assert done["pull_request"].endswith("/discussions/1")
    listed = repositories.list_discussions("bob/open", visitor=live_hub.nobody)
    assert [(one["number"], one["pull_request"], one["status"]) for one in listed] == [(1, True, "open")]
    assert "idea.txt" not in {file["name"] for file in repositories.list_files("bob/open", visitor=live_hub.ada)}


def test_progress_is_told_in_bytes_and_ends_with_the_commit(
    contents: Contents, repo: str, live_hub: Any, tmp_path: Path
) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(bytes(range(256)) * 4 * 1024 * 8)
    files = [{"file": str(file), "path": "weights.bin"}]
    steps = list(contents.uploading(repo, files, Push(), visitor=live_hub.ada))
    assert all(step["bytes"] == 8 * 1024**2 for step in steps)
    assert [step["sent"] for step in steps] == sorted(step["sent"] for step in steps)
    assert steps[-1]["sent"] == steps[-1]["bytes"]
    assert steps[-1]["result"]["files"] == ["weights.bin"]


def test_pages_follow_one_another_without_gap_or_repeat(manager: Manager, hub: Hub, live_hub: Any) -> None:
    for number in range(7):
        manager.create_repo(f"lab/row-{number}", visitor=live_hub.ada)
    catalog, seen, cursor = Catalog(hub), [], ""
    while True:
        page = catalog.browse_hub(
            "model", "row", {"author": "lab"}, "created_at", cursor, limit=3, visitor=live_hub.ada
        )
        seen.append([row["id"] for row in page["rows"]])
        cursor = page["next"]
        if not cursor:
            break
    assert [len(rows) for rows in seen] == [3, 3, 1]
    assert [name for rows in seen for name in rows] == [f"lab/row-{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, True),
        ({"license": "mit"}, True),
        ({"license": "apache-2.0"}, False),
        ({"language": "fr"}, True),
        ({"language": "de"}, False),
        ({"library": "transformers", "task": "text-classification"}, True),
        ({"task": "fill-mask"}, False),
        ({"author": "ada"}, True),
        ({"author": "bob"}, False),
        ({"fits": True}, False),
    ],
)
def test_filters_find_and_leave_out(
    manager: Manager, hub: Hub, put: Any, live_hub: Any, filters: dict[str, Any], found: bool
) -> None:
    if not manager.list_own(owner="ada", visitor=live_hub.ada) or not Catalog(hub).search_models(
        "filtered", visitor=live_hub.ada
    ):
        manager.create_repo("filtered", False, visitor=live_hub.ada)
        put("filtered", {"README.md": CARD})
    rows = Catalog(hub).browse_hub("model", "filtered", filters, visitor=live_hub.nobody)["rows"]
    assert [row["id"] for row in rows] == (["ada/filtered"] if found else [])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("bucket",), "repo_type"),
        (("model", "", {"colour": "red"}), "filters"),
        (("model", "", {"author": "x" * 300}), "filters"),
        (("model", "", {}, "beauty"), "sort"),
        (("model", "", {}, "likes", "x" * 5000), "cursor"),
        (("model", "", {}, "likes", "\ud800"), "cursor"),
        (("space", "\ud800films", {}, "likes", ""), "query"),
        (("model", "", {"author": "\ud800"}, "likes", ""), "author"),
        (("model", "", {}, "likes", "", 1000), "limit"),
    ],
)
def test_a_search_that_is_none_is_refused(hub: Hub, live_hub: Any, arguments: tuple[Any, ...], field: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        Catalog(hub).browse_hub(*arguments, visitor=live_hub.nobody)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "kind", "read"),
    [
        (" ada/shelf ", "model", ("ada/shelf", None)),
        ("{hub}/ada/shelf", "model", ("ada/shelf", None)),
        ("{hub}/ada/shelf/tree/draft/", "model", ("ada/shelf", "draft")),
        ("https://huggingface.co/gpt2", "model", ("gpt2", None)),
        ("https://huggingface.co/gpt2/tree/main", "model", ("gpt2", "main")),
        ("https://huggingface.co/a/b/resolve/refs%2Fpr%2F1/config.json?download=true", "model", ("a/b", "refs/pr/1")),
        ("https://huggingface.co/a/b/blob/v1/sub/README.md#L2", "model", ("a/b", "v1")),
        ("https://huggingface.co/datasets/a/b/tree/main", "dataset", ("a/b", "main")),
        ("https://huggingface.co/datasets/a/b", "model", None),
        ("https://huggingface.co/a/b", "dataset", None),
        ("https://evil.example/a/b", "model", None),
        ("https://huggingface.co.evil.example/a/b", "model", None),
        ("https://huggingface.co/a/../b", "model", None),
        ("https://huggingface.co/a/b/tree/%2e%2e%2fx", "model", None),
        ("https://huggingface.co/", "model", None),
    ],
)
def test_an_address_is_read_as_the_id_and_the_revision_in_it(
    hub: Hub, given: str, kind: str, read: tuple[str, str | None] | None
) -> None:
    given = given.format(hub=hub.settings.endpoint)
    if read is not None:
        assert hub.read_id(given, None, kind) == read
        assert hub.read_id(given, "other", kind) == (read[0], "other")
        return
    with pytest.raises(WorkbenchError) as refused:
        hub.read_id(given, None, kind)
    assert refused.value.field in (kind, "revision")


def test_a_model_is_found_by_its_address(repo: str, put: Any, hub: Hub, live_hub: Any) -> None:
    put(repo, {"config.json": "{}"})
    facts = Catalog(hub).model_facts(f"{live_hub.settings.endpoint}/{repo}/tree/main", visitor=live_hub.ada)
    assert facts["id"] == repo


def test_signing_out_forgets_who_one_was(live_hub: Any) -> None:
    hub = Hub(live_hub.settings)
    assert hub.whoami(live_hub.ada)["org_roles"] == {"lab": "write", "club": "read"}
    assert hub._names
    assert hub.sign_out(live_hub.ada)["name"] is None
    assert not hub._names


def test_the_metrics_say_what_became_of_their_list() -> None:
    told = list_metrics()
    assert "evaluate" in told["explanation"]
    assert {"accuracy", "f1"} <= {metric["name"] for metric in told["metrics"]}


def test_what_was_fetched_once_is_fetched_again_where_it_is_gone(
    hub: Hub, manager: Manager, put: Any, live_hub: Any
) -> None:
    created = str(manager.create_repo("gone", visitor=live_hub.ada)["repo"])
    put(created, {"config.json": '{"model_type": "bert"}', "tokenizer.json": "{}"})
    first = hub.tokenizer(created, visitor=live_hub.ada)
    assert hub.tokenizer(created, visitor=live_hub.ada) == first
    (first.path / "tokenizer.json").unlink()
    again = hub.tokenizer(created, visitor=live_hub.ada)
    assert (again, (again.path / "tokenizer.json").read_text()) == (first, "{}")
    put(created, {"auto.json": '{"auto_map": {"AutoModel": "code.Model"}}'})
    hub.forget()
    with pytest.raises(WorkbenchError, match="code of its own"):  # another commit is judged anew
        hub.tokenizer(created, visitor=live_hub.ada)
