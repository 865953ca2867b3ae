"""git's own way in, with the real `git` and `git-lfs` programs."""

import os
import random
import shutil
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("git-lfs")), reason="git and git-lfs are not installed"
)
LARGE = random.Random(7).randbytes(300_000)


class Git:
    """The `git` program with a home of its own; a user's token is part of the addresses, as their password."""

    def __init__(self, hub, home, user="ada"):
        self.home, self.user = home, user
        token = hub.api(user).token if user else ""
        self.base = hub.url.replace("://", f"://{user}:{token}@") if user else hub.url
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_TERMINAL_PROMPT": "0", "LANG": "C"}
        self("config", "--global", "user.name", user or "nobody")
        self("config", "--global", "user.email", "a@example.org")
        self("config", "--global", "init.defaultBranch", "main")
        self("lfs", "install", "--skip-repo")

    def __call__(self, *arguments, folder=None, fails=False):
        command = ["git", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=folder or self.home, env=self.env, capture_output=True, text=True, check=False, timeout=120
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def clone(self, repo, name="work", *options):
        self("clone", *options, f"{self.base}/{repo}", name)
        return self.home / name

    def commit(self, folder, message="by git", **files):
        for path, content in files.items():
            file = folder / path.replace("__", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        self("add", ".", folder=folder)
        self("commit", "-m", message, folder=folder)


@pytest.fixture
def git(hub, tmp_path):
    return Git(hub, tmp_path)


@pytest.fixture
def other(hub, tmp_path):
    """A function that gives the git program of another user."""

    def make(user):
        (tmp_path / f"home-{user}").mkdir()
        return Git(hub, tmp_path / f"home-{user}", user)

    return make


def test_what_git_pushes_the_clients_read_and_the_other_way_round(git, other, api, repo):
    work = git.clone(repo)
    git.commit(work, a__txt=b"text", w__bin=LARGE, empty__txt=b"")
    git("push", folder=work)
    assert Path(api.hf_hub_download(repo, "w.bin")).read_bytes() == LARGE
    assert Path(api.hf_hub_download(repo, "a.txt")).read_text() == "text"
    (last, _) = api.list_repo_commits(repo)
    assert (last.title, last.authors) == ("by git", ["ada"])
    api.upload_file(path_or_fileobj=LARGE[::-1], path_in_repo="d/v.special", repo_id=repo)
    git("pull", folder=work)
    assert (work / "d/v.special").read_bytes() == LARGE[::-1]
    again = other(None).clone(repo + ".git")
    assert (again / "w.bin").read_bytes() == LARGE
    assert git("status", "--porcelain", folder=work) == ""


@pytest.mark.parametrize(("kind", "prefix"), [("dataset", "datasets/"), ("space", "spaces/")])
def test_data_sets_and_spaces_are_cloned_under_their_own_addresses(git, api, kind, prefix):
    api.create_repo("ada/by-git", repo_type=kind, space_sdk="static" if kind == "space" else None)
    work = git.clone(f"{prefix}ada/by-git")
    git.commit(work, w__bin=LARGE)
    git("push", folder=work)
    assert api.get_paths_info("ada/by-git", "w.bin", repo_type=kind)[0].lfs.size == len(LARGE)
    api.delete_repo("ada/by-git", repo_type=kind)


def test_branches_and_tags_are_pushed_and_deleted(git, api, repo):
    work = git.clone(repo)
    git.commit(work, a__txt=b"1")
    git("tag", "light", folder=work)
    git("tag", "-a", "heavy", "-m", "annotated", folder=work)
    git("push", "origin", "HEAD:refs/heads/feature/x", "--tags", folder=work)
    refs = api.list_repo_refs(repo)
    head = git("rev-parse", "HEAD", folder=work).strip()
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"light": head, "heavy": head}
    assert api.file_exists(repo, "a.txt", revision="feature/x")
    assert f"{head}\trefs/tags/heavy^{{}}" in git("ls-remote", folder=work)
    git("push", "origin", ":feature/x", ":refs/tags/light", folder=work)
    refs = api.list_repo_refs(repo)
    assert ([branch.name for branch in refs.branches], [tag.name for tag in refs.tags]) == (["main"], ["heavy"])
    assert "cannot be deleted" in git("push", "origin", ":main", folder=work, fails=True)


def test_a_shallow_clone_and_a_fetch_after_it(git, api, repo):
    for number in range(3):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="a", repo_id=repo)
    work = git.clone(repo, "shallow", "--depth", "1")
    assert git("rev-list", "--count", "HEAD", folder=work).strip() == "1"
    api.upload_file(path_or_fileobj=b"new", path_in_repo="b", repo_id=repo)
    git("pull", folder=work)
    assert (work / "b").read_text() == "new"
    git("fetch", "--unshallow", folder=work)
    assert git("rev-list", "--count", "HEAD", folder=work).strip() == "5"


def test_a_push_that_is_behind_is_refused_until_it_is_merged_or_forced(git, api, repo):
    work = git.clone(repo)
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo)
    git.commit(work, b=b"2")
    assert "fetch first" in git("push", folder=work, fails=True)
    git("pull", "--no-rebase", "--no-edit", folder=work)
    git("push", folder=work)
    assert [commit.title for commit in api.list_repo_commits(repo)][1:] != []
    assert set(api.list_repo_files(repo)) == {".gitattributes", "a", "b"}
    assert len(api.list_repo_commits(repo)) == 4
    git("reset", "--hard", "HEAD~1", folder=work)
    git("push", "--force", folder=work)
    assert set(api.list_repo_files(repo)) == {".gitattributes", "b"}


def test_nothing_is_pushed_without_the_right_to(hub, git, other, api, repo):
    work = git.clone(repo)
    git.commit(work, a=b"1")
    head = api.model_info(repo).sha
    bob, reader = (hub.api(name).token for name in ("bob", "ada reads"))
    for token, message in (
        (bob, "don't have the rights"),
        (reader, "only read"),
        ("hf_wrong", "Authentication failed"),
    ):
        address = hub.url.replace("://", f"://x:{token}@") + f"/{repo}"
        assert message in git("push", address, "main", folder=work, fails=True)
    assert "could not read Username" in git("push", f"{hub.url}/{repo}", "main", folder=work, fails=True)
    assert api.model_info(repo).sha == head
    anonymous = httpx.get(f"{hub.url}/{repo}/info/refs?service=git-receive-pack")
    assert (anonymous.status_code, anonymous.headers["www-authenticate"][:5]) == (401, "Basic")


def test_private_and_gated_repositories_are_cloned_by_those_who_may(hub, git, other, api, repo):
    api.update_repo_settings(repo, private=True)
    git.clone(repo)
    assert "not found" in other("bob")("clone", f"{other('cleo').base}/{repo}", fails=True).lower()
    assert "could not read Username" in git("clone", f"{hub.url}/{repo}", "x", fails=True)
    api.update_repo_settings(repo, private=False, gated="manual")
    bob = hub.url.replace("://", f"://bob:{hub.api('bob').token}@")
    assert "not in the authorized list" in git("clone", f"{bob}/{repo}", "y", fails=True)
    api.grant_access(repo, "bob")
    git("clone", f"{bob}/{repo}", "y")


def test_large_files_that_bypass_git_lfs_are_refused(hub, git, api, repo):
    work = git.clone(repo)
    git.commit(work, big__txt=os.urandom(10 * 1024**2 + 1))
    said = git("push", folder=work, fails=True)
    assert "larger than 10 MiB" in said
    assert "git-lfs.github.com" in said
    assert api.list_repo_files(repo) == [".gitattributes"]
    assert not list((hub.root / "tmp").iterdir())
    assert not list((hub.root / "models" / f"{repo}.git" / "objects" / "pack").iterdir())
    git("reset", "--hard", "HEAD~1", folder=work)
    git("lfs", "track", "big.txt", folder=work)
    git.commit(work, big__txt=LARGE * 40)
    git("push", folder=work)
    assert api.get_paths_info(repo, "big.txt")[0].size == len(LARGE) * 40


def _pointer(folder):
    folder.joinpath("p.txt").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 3\n")


def _submodule(folder):
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    entry = f"160000,{commit.stdout.strip()},sub"
    subprocess.run(["git", "update-index", "--add", "--cacheinfo", entry], cwd=folder, check=True)


def _deep(folder):
    folder.joinpath(*["d"] * 120).mkdir(parents=True)
    folder.joinpath(*["d"] * 120, "f").write_text("x")


def _card(folder):
    folder.joinpath("README.md").write_text("---\nlicense: [1]\n---\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_pointer, "was not uploaded"),
        (_submodule, "submodule"),
        (_deep, "nested more than"),
        (_card, "must be a string"),
        (lambda folder: folder.joinpath("a\\b").write_text("x"), "not a valid file name"),
    ],
)
def test_a_push_that_breaks_a_rule_of_the_hub_changes_nothing(git, api, repo, spoil, message):
    work = git.clone(repo)
    (work / "good.txt").write_text("good")
    git("add", ".", folder=work)
    spoil(work)
    if spoil is not _submodule:
        git("add", ".", folder=work)
    git("commit", "-m", "m", folder=work)
    assert message in git("push", "--no-verify", folder=work, fails=True)
    assert api.list_repo_files(repo) == [".gitattributes"]


@pytest.mark.parametrize("ref", ["refs/heads/a..b", "refs/convert/x", "refs/pr/1", "refs/heads/" + "0" * 40, "HEAD/x"])
def test_only_branches_tags_and_open_pull_requests_take_a_push(hub, git, api, repo, ref):
    head = api.model_info(repo).sha
    line = f"{'0' * 40} {head} {ref}\0report-status".encode()
    empty = b"PACK\0\0\0\2\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"
    answer = httpx.post(
        f"{hub.url}/{repo}/git-receive-pack",
        content=b"%04x" % (len(line) + 4) + line + b"0000" + empty,
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert f"ng {ref} " in answer.text
    assert [branch.ref for branch in api.list_repo_refs(repo).branches] == ["refs/heads/main"]


def test_pull_requests_are_fetched_and_pushed(hub, git, other, api, repo):
    bob = hub.api("bob")
    bob.create_pull_request(repo, title="By git")
    theirs = other("bob")
    work = theirs.clone(repo)
    theirs.commit(work, "one", a__txt=b"1")
    theirs.commit(work, "two", w__bin=LARGE)
    theirs("push", "origin", "HEAD:refs/pr/1", folder=work)
    assert "don't have the rights" in theirs("push", "origin", "HEAD:main", folder=work, fails=True)
    found = api.get_discussion_details(repo, 1)
    assert [event.summary for event in found.events if event.type == "commit"] == ["one", "two"]
    api.merge_pull_request(repo, 1)
    mine = git.clone(repo)
    assert (mine / "w.bin").read_bytes() == LARGE
    git("fetch", "origin", "refs/pr/1", folder=mine)
    assert git("log", "-1", "--format=%s", "FETCH_HEAD", folder=mine).strip() == "two"


def test_an_atomic_push_lands_whole_or_not_at_all(git, api, repo):
    work = git.clone(repo)
    git.commit(work, a=b"1")
    said = git("push", "--atomic", "origin", "HEAD:new", ":main", folder=work, fails=True)
    assert "atomic push failed" in said
    assert len(api.list_repo_refs(repo).branches) == 1


def test_pushes_and_commits_at_the_same_time_all_land(hub, git, api, repo):
    works = [git.clone(repo, f"work-{number}") for number in range(3)]
    for number, work in enumerate(works):
        git.commit(work, **{f"git-{number}": b"x"})

    def push(work):
        for _ in range(20):
            done = subprocess.run(["git", "push"], cwd=work, env=git.env, capture_output=True, check=False)
            if done.returncode == 0:
                return
            git("pull", "--rebase", folder=work)

    def commit(number):
        hub.api().upload_file(path_or_fileobj=b"x", path_in_repo=f"http-{number}", repo_id=repo)

    writers = [threading.Thread(target=push, args=(work,)) for work in works]
    writers += [threading.Thread(target=commit, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wanted = {f"git-{number}" for number in range(3)} | {f"http-{number}" for number in range(4)}
    assert set(api.list_repo_files(repo)) == wanted | {".gitattributes"}


@pytest.mark.parametrize(
    ("service", "body", "status"),
    [
        ("git-upload-pack", b"nonsense", 400),
        ("git-upload-pack", b"0032want " + b"0" * 40 + b"\n", 400),
        ("git-receive-pack", b"nonsense", 400),
        ("git-receive-pack", b"0008abcd", 400),
        ("git-receive-pack", b"", 400),
        ("git-receive-pack", b"0000", 200),
    ],
)
def test_what_is_not_gits_protocol_is_refused(hub, api, repo, service, body, status):
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = httpx.post(f"{hub.url}/{repo}/{service}", content=body, headers=headers)
    assert answer.status_code == status


def test_a_small_pack_that_unpacks_to_gigabytes_is_not_unpacked(hub, api, repo):
    import zlib

    squeeze = zlib.compressobj(9)
    data = b"".join(squeeze.compress(b"\0" * 1024**2) for _ in range(200)) + squeeze.flush()
    size, header = 200 * 1024**2, bytearray()
    byte, size = 0x30 | (size & 15), size >> 4
    while size:
        header.append(byte | 128)
        byte, size = size & 127, size >> 7
    header.append(byte)
    line = f"{'0' * 40} {'1' * 40} refs/heads/x\0report-status side-band-64k".encode()
    pack = b"PACK\0\0\0\2\0\0\0\1" + bytes(header) + data + b"\0" * 20
    answer = httpx.post(
        f"{hub.url}/{repo}/git-receive-pack",
        content=b"%04x" % (len(line) + 4) + line + b"0000" + pack,
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert "larger than 10 MiB" in answer.text
    assert "ng refs/heads/x" in answer.text
