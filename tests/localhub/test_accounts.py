"""Users with read and write tokens, organizations, and gated repositories."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from components.localhub import accounts_command

PROJECT = Path(__file__).parents[2]


def accounts(hub, *arguments):
    return accounts_command.main(["--root", str(hub.root), *arguments])


@pytest.fixture
def gated(api, repo):
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=b"\0weights", path_in_repo="w.bin", repo_id=repo)
    api.update_repo_settings(repo, gated="manual")
    return repo


def test_whoami_names_the_tokens_role_and_the_organizations(hub, api):
    assert [(org["name"], org["roleInOrg"]) for org in api.whoami()["orgs"]] == [("lab", "admin")]
    assert hub.api("ada reads").whoami()["auth"]["accessToken"]["role"] == "read"
    assert hub.api("cleo").whoami()["orgs"] == []


def test_users_and_organizations_have_an_overview(api):
    assert api.get_user_overview("bob").orgs[0].name == "lab"
    assert api.get_organization_overview("lab").num_users == 2
    assert {user.username for user in api.list_organization_members("lab")} == {"ada", "bob"}
    with pytest.raises(HfHubHTTPError, match="404"):
        api.get_user_overview("nobody")


def test_a_read_token_reads_private_repositories_and_writes_nothing(hub, api, repo):
    api.update_repo_settings(repo, private=True)
    reader = hub.api("ada reads")
    assert reader.list_repo_files(repo) == [".gitattributes"]
    writes = [
        lambda: reader.create_repo("ada/by-a-reader"),
        lambda: reader.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo),
        lambda: reader.create_tag(repo, tag="t"),
        lambda: reader.delete_repo(repo),
        lambda: reader.update_repo_settings(repo, private=False),
        lambda: reader.create_discussion(repo, title="A title"),
        lambda: reader.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, create_pr=True),
    ]
    for write in writes:
        with pytest.raises(HfHubHTTPError, match="only read") as refused:
            write()
        assert refused.value.response.status_code == 403


def test_members_of_an_organization_share_its_repositories(hub, api):
    api.create_repo("lab/model", private=True)
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="lab/model")
    member, stranger = hub.api("bob"), hub.api("cleo")
    assert "x" in member.list_repo_files("lab/model")
    assert "lab/model" in [model.id for model in member.list_models(author="lab")]
    with pytest.raises(HfHubHTTPError, match="403"):
        member.delete_file("x", "lab/model")
    with pytest.raises(RepositoryNotFoundError):
        stranger.model_info("lab/model")
    with pytest.raises(HfHubHTTPError, match="403"):
        stranger.create_repo("lab/other")
    accounts(hub, "add-member", "lab", "bob", "--role", "write")
    member.delete_file("x", "lab/model")
    accounts(hub, "add-member", "lab", "bob", "--role", "read")
    api.move_repo("lab/model", "ada/from-lab")
    api.delete_repo("ada/from-lab")


def test_accounts_change_while_the_server_runs(start_hub, capsys):
    hub = start_hub()
    assert accounts(hub, "add-user", "dora") == 0
    token = capsys.readouterr().out.split()[-1]
    header = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{hub.url}/api/whoami-v2", headers=header).json()["name"] == "dora"
    accounts(hub, "add-member", "team", "dora")
    accounts(hub, "list")
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "user ada: write",
        "user dora: write",
        "organization team: dora (write)",
    ]
    accounts(hub, "remove", "dora")
    assert httpx.get(f"{hub.url}/api/whoami-v2", headers=header).status_code == 401
    assert hub.api().whoami()["name"] == "ada"


def test_accounts_of_the_first_version_are_understood(start_hub, tmp_path):
    digest = "8ab5b03ec3ee3bfee8a3b4a1d1d7a5ac5a5ad63a4a49e1a1e1d4b8ae2b2a0f2c"
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "accounts.json").write_text(f'{{"users": {{"old": "{digest}"}}}}')
    hub = start_hub()
    assert hub.api().get_user_overview("old").username == "old"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add-user", "a/b"], "cannot be a user name"),
        (["add-user", "lab"], "organization already"),
        (["add-user", "eve", "--token", "hf_bob_secret"], "in use already"),
        (["add-member", "ada", "bob"], "user already"),
        (["add-member", "lab", "nobody"], "no user called"),
        (["remove-member", "lab", "cleo"], "not a member"),
        (["remove", "nobody"], "no user or organization"),
        (["add-user", "eve", "--role", "god"], "invalid choice"),
        ([], "required"),
    ],
)
def test_a_wrong_change_of_accounts_is_refused_in_words(hub, capsys, arguments, message):
    before = (hub.root / "accounts.json").read_bytes()
    with pytest.raises(SystemExit):
        accounts(hub, *arguments)
    assert message in capsys.readouterr().err
    assert (hub.root / "accounts.json").read_bytes() == before


def test_the_help_of_the_accounts_command_names_every_action():
    command = [sys.executable, "-m", "components.localhub", "accounts", "--help"]
    text = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for action in ("list", "add-user", "add-member", "remove-member", "remove", "--root"):
        assert action in text


def test_a_gated_repository_is_seen_by_all_and_read_by_those_on_its_list(hub, api, gated):
    bob = hub.api("bob")
    assert bob.model_info(gated).gated == "manual"
    assert "a.txt" in bob.list_repo_files(gated)
    assert gated in [model.id for model in bob.list_models(gated=True)]
    for refused in (lambda: bob.hf_hub_download(gated, "a.txt"), lambda: bob.auth_check(gated)):
        with pytest.raises(GatedRepoError, match="not in the authorized list"):
            refused()
    with pytest.raises(GatedRepoError, match="Please log in"):
        hub.api(None).hf_hub_download(gated, "a.txt")
    api.grant_access(gated, "bob")
    assert [request.username for request in api.list_accepted_access_requests(gated)] == ["bob"]
    bob.auth_check(gated)
    assert Path(bob.hf_hub_download(gated, "w.bin")).read_bytes() == b"\0weights"
    assert api.file_exists(gated, "a.txt")
    with pytest.raises(GatedRepoError):
        hub.api("cleo").snapshot_download(gated)
    api.update_repo_settings(gated, gated=False)
    assert hub.api(None).file_exists(gated, "a.txt")


def test_access_is_asked_for_accepted_and_taken_back(hub, api, gated):
    bob = hub.api("bob")
    ask = {"url": f"{hub.url}/{gated}/ask-access", "headers": {"Authorization": f"Bearer {bob.token}"}}
    assert httpx.post(**ask).json() == {"status": "pending"}
    assert [request.username for request in api.list_pending_access_requests(gated)] == ["bob"]
    api.reject_access_request(gated, user="bob", rejection_reason=None)
    assert httpx.post(**ask).json() == {"status": "rejected"}
    api.accept_access_request(gated, user="bob")
    bob.hf_hub_download(gated, "a.txt")
    api.cancel_access_request(gated, user="bob")
    with pytest.raises(GatedRepoError):
        bob.auth_check(gated)
    with pytest.raises(HfHubHTTPError, match="403"):
        bob.accept_access_request(gated, user="bob")


def test_a_wrong_change_of_the_access_list_is_refused(api, gated):
    api.grant_access(gated, "bob")
    with pytest.raises(HfHubHTTPError, match="has access already"):
        api.grant_access(gated, "bob")
    with pytest.raises(HfHubHTTPError, match="no user called"):
        api.grant_access(gated, "nobody")
    with pytest.raises(HfHubHTTPError, match="not asked"):
        api.accept_access_request(gated, user="cleo")


def test_the_large_files_of_a_gated_repository_stay_behind_its_gate(hub, api, gated):
    (entry,) = api.get_paths_info(gated, "w.bin")
    batch = {"operation": "download", "objects": [{"oid": entry.lfs.sha256, "size": entry.lfs.size}]}
    headers = {"Authorization": f"Bearer {hub.api('bob').token}"}
    answer = httpx.post(f"{hub.url}/{gated}.git/info/lfs/objects/batch", json=batch, headers=headers)
    assert answer.status_code == 403
    for address in (f"/{gated}/raw/main/w.bin", f"/{gated}/resolve/main/w.bin"):
        assert httpx.get(hub.url + address, headers=headers).status_code == 403
