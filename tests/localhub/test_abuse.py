"""What a stranger may try: names that leave the folder, lies about content, bodies that are no protocol."""

import hashlib
import json

import pytest

TRAVERSALS = [
    "../escape",
    "a/../../escape",
    "/etc/passwd",
    "a//b",
    "./a",
    "a/.",
    ".git/config",
    "a/.GIT/hooks/x",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "",
    "x" * 300,
    "y/" * 600,
    "\ud800",
    None,
    7,
]


@pytest.fixture(scope="module")
def victim(hub):
    """One repository for the attempts that must not change it."""
    hub.api().create_repo("ada/victim")
    yield "ada/victim"
    hub.api().delete_repo("ada/victim")


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("operation", ["file", "deletedFile", "deletedFolder", "lfsFile", "preupload"])
def test_a_path_that_leaves_the_repository_is_refused(http, victim, path, operation):
    if operation == "preupload":
        answer = http.post(
            f"/api/models/{victim}/preupload/main", content=json.dumps({"files": [{"path": path, "size": 1}]})
        )
    else:
        value = {"path": path, "content": "eA==", "encoding": "base64", "oid": "0" * 64, "algo": "sha256", "size": 1}
        lines = [{"key": "header", "value": {"summary": "s"}}, {"key": operation, "value": value}]
        answer = http.post(f"/api/models/{victim}/commit/main", content="\n".join(map(json.dumps, lines)))
    assert answer.status_code == 400
    assert http.get(f"/api/models/{victim}/tree/main").json()[0]["path"] == ".gitattributes"


@pytest.mark.parametrize(
    "address",
    [
        "/starter/small/resolve/main/../../../../accounts.json",
        "/starter/small/resolve/main/%2e%2e/%2e%2e/%2e%2e/accounts.json",
        "/starter/small/resolve/main/..%2f..%2f..%2faccounts.json",
        "/starter/small/resolve/main/%00",
        "/starter/small/resolve/..%2f..%2f..%2faccounts.json/x",
        "/starter/small/resolve/refs%2fheads%2f..%2f..%2flocalhub.json/x",
        "/starter/small/resolve/HEAD/config.json/x",
        "/..%2f..%2f/accounts.json/resolve/main/x",
        "/starter/small.git/localhub.json",
        "/starter/small.git/info/lfs/objects/..%2f..%2flocalhub.json",
        "/api/models/..%2f../accounts.json",
        "/api/models/starter/..%2fsmall",
        "/api/models/starter/small/tree/main/..%2f..",
        "/api/models/starter/small/tree/..%2f..%2fx",
        "/api/models/starter%2fsmall/x/revision/main",
        "/api/kernels/starter/small",
        "//accounts.json",
        "/%ff%fe/x/resolve/main/y",
        "/starter/small/resolve/%ff/config.json",
    ],
)
def test_no_address_reads_outside_a_repository(http, address):
    answer = http.get(address)
    assert answer.status_code in (400, 401, 403, 404, 405)
    assert "users" not in answer.text


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a--b", "a..b", ".a", "a.", "-a", "a.git", "a/b", "../x", "x" * 97, "é", "a\n", "a\0", None, 3, [], {}],
)
def test_a_name_that_the_hub_would_not_take_is_refused(http, name):
    assert http.post("/api/repos/create", json={"name": name, "organization": "ada"}).status_code == 400


@pytest.mark.parametrize(
    "name", ["a..b", "a b", "-x", "a.lock", "a/", "/a", "@", "a~1", "a^", "a:b", "HEAD", "x" * 300, "0" * 40]
)
def test_a_branch_that_git_would_not_take_is_refused(http, victim, name):
    from urllib.parse import quote

    for group in ("branch", "tag"):
        body = {"tag": name} if group == "tag" else {}
        target = "main" if group == "tag" else quote(name, safe="")
        assert http.post(f"/api/models/{victim}/{group}/{target}", json=body).status_code == 400


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", "/api/repos/create", "not json"),
        ("POST", "/api/repos/create", "[1]"),
        ("POST", "/api/repos/create", '{"name": "x", "type": "kernel"}'),
        ("POST", "/api/repos/create", '{"name": "x", "type": "space"}'),
        ("POST", "/api/repos/create", '{"name": "x", "visibility": "secret"}'),
        ("POST", "/api/repos/create", "[" * 100_000),
        ("PUT", "/api/models/{repo}/settings", '{"gated": "maybe"}'),
        ("POST", "/api/models/{repo}/user-access-request/grant", '{"user": "bob"}'),
        ("POST", "/api/models/{repo}/preupload/main", '{"files": 3}'),
        ("POST", "/api/models/{repo}/preupload/main", '{"files": [{"path": "a", "size": 1, "sample": "%%%"}]}'),
        ("POST", "/api/models/{repo}/preupload/main", '{"files": [], "gitIgnore": 3}'),
        ("POST", "/api/models/{repo}/commit/main", ""),
        ("POST", "/api/models/{repo}/commit/main", "nothing"),
        ("POST", "/api/models/{repo}/commit/main", '{"key": "header", "value": 3}'),
        ("POST", "/api/models/{repo}/commit/main", '{"key": "rm", "value": {}}'),
        ("POST", "/api/models/{repo}/commit/main", '{"key": "header", "value": {"summary": ["x"]}}'),
        ("POST", "/api/models/{repo}/commit/main", '{"key": "header", "value": {"summary": "s", "parentCommit": "x"}}'),
        ("POST", "/api/models/{repo}/commit/main", '{"key": "file", "value": {"path": "a", "content": 3}}'),
        ("POST", "/api/validate-yaml", '{"content": 3}'),
        ("GET", "/api/models?limit=-1", ""),
        ("GET", "/api/models?cursor=x", ""),
    ],
)
def test_a_body_that_is_no_protocol_is_refused_in_words(http, victim, method, address, body):
    answer = http.request(method, address.format(repo=victim), content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert answer.headers["x-error-message"]


def lfs_upload(http, repo, content):
    """The address to upload `content` to, as a client gets it."""
    entry = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    batch = {"operation": "upload", "transfers": ["basic"], "objects": [entry], "hash_algo": "sha256"}
    (answer,) = http.post(f"/{repo}.git/info/lfs/objects/batch", json=batch).json()["objects"]
    return answer.get("actions", {}).get("upload", {}).get("href"), entry


@pytest.mark.parametrize("sent", [b"", b"another content", b"the conten", b"the content and more"])
def test_content_that_is_not_what_was_announced_is_dropped(hub, http, repo, sent):
    address, entry = lfs_upload(http, repo, b"the content")
    assert http.put(address, content=sent).status_code == 400
    assert http.post(f"/{repo}.git/info/lfs/objects/verify", json=entry).status_code == 404
    assert not list((hub.root / "tmp").iterdir())
    assert lfs_upload(http, repo, b"the content")[0]


def test_an_upload_address_works_for_one_object_of_one_repository(http, repo, api):
    address, entry = lfs_upload(http, repo, b"the content")
    api.create_repo("ada/other", exist_ok=True)
    for wrong in (
        address.replace(repo, "ada/other"),
        address.replace(entry["oid"], "0" * 64),
        address.replace("size=11", "size=12"),
        address.replace("until=", "until=9"),
        address[:-1] + ("0" if address[-1] != "0" else "1"),
        address.partition("?")[0],
    ):
        assert http.put(wrong, content=b"the content").status_code == 403
    assert http.put(address, content=b"the content").is_success
    assert lfs_upload(http, repo, b"the content")[0] is None
    assert lfs_upload(http, "ada/other", b"the content")[0]
    api.delete_repo("ada/other")


@pytest.mark.parametrize("entry", [{}, {"oid": "x", "size": 1}, {"oid": "0" * 64, "size": -1}, {"oid": "0" * 64}, 3])
def test_an_object_without_a_hash_and_a_size_is_refused(http, repo, entry):
    batch = {"operation": "upload", "objects": [entry]}
    assert http.post(f"/{repo}.git/info/lfs/objects/batch", json=batch).status_code == 422


def test_a_pointer_to_a_private_file_of_somebody_else_gives_nothing(hub, http, repo):
    content, bob = b"\0 secret of bob", hub.api("bob")
    bob.create_repo("bob/private", private=True)
    bob.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id="bob/private")
    oid = hashlib.sha256(content).hexdigest()
    value = {"path": "mine.bin", "algo": "sha256", "oid": oid, "size": len(content)}
    lines = [{"key": "header", "value": {"summary": "s"}}, {"key": "lfsFile", "value": value}]
    answer = http.post(f"/api/models/{repo}/commit/main", content="\n".join(map(json.dumps, lines)))
    assert answer.status_code == 400
    assert lfs_upload(http, repo, content)[0]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    lines[1] = {"key": "file", "value": {"path": "mine.bin", "content": pointer}}
    assert http.post(f"/api/models/{repo}/commit/main", content="\n".join(map(json.dumps, lines))).is_success
    assert http.get(f"/{repo}/resolve/main/mine.bin").text == pointer
    bob.delete_repo("bob/private")


def test_a_file_too_large_for_a_commit_is_refused(http, repo):
    line = json.dumps({"key": "file", "value": {"path": "a", "content": "x" * 10_500_000}})
    header = json.dumps({"key": "header", "value": {"summary": "s"}})
    assert http.post(f"/api/models/{repo}/commit/main", content=f"{header}\n{line}").status_code == 400
    assert http.post(f"/api/models/{repo}/commit/main", content=b"x" * 30_000_000).status_code == 413


def test_a_web_page_cannot_reach_the_hub_by_a_name_of_its_own(http):
    assert http.get("/api/models", headers={"Host": "evil.example"}).status_code == 400
    assert (
        http.get("/api/models", headers={"Origin": "http://evil.example"})
        .headers.keys()
        .isdisjoint({"access-control-allow-origin", "access-control-allow-credentials"})
    )


def test_tokens_are_nowhere_on_disk(hub):
    kept = b"".join(file.read_bytes() for file in hub.root.rglob("*") if file.is_file())
    assert b"hf_ada_secret" not in kept
    assert b"hf_bob_secret" not in kept
    for name in ("accounts.json", "secret"):
        assert (hub.root / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YWRhOng=", "Bearer hf_ada", "hf_ada_secret", "Bearer \xff"])
def test_only_a_bearer_token_that_is_known_counts(http, header):
    answer = http.get("/api/whoami-v2", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_pointer_with_a_path_for_a_hash_is_no_pointer(http, repo):
    for oid in ("/" * 54 + "etc/passwd", "../" * 21 + "x"):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 3\n"
        lines = [
            {"key": "header", "value": {"summary": "s"}},
            {"key": "file", "value": {"path": "p.txt", "content": pointer}},
        ]
        assert http.post(f"/api/models/{repo}/commit/main", content="\n".join(map(json.dumps, lines))).is_success
        assert http.get(f"/{repo}/resolve/main/p.txt").text == pointer
