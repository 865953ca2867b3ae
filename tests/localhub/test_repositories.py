"""Creating, describing, moving, hiding and deleting repositories."""

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError


def test_the_token_tells_who_one_is(hub, api):
    me = api.whoami()
    assert (me["type"], me["name"]) == ("user", "ada")
    assert me["auth"]["accessToken"]["role"] == "write"


def test_a_new_repository_has_one_commit_with_the_large_file_patterns(api, repo):
    assert api.list_repo_files(repo) == [".gitattributes"]
    assert [commit.title for commit in api.list_repo_commits(repo)] == ["initial commit"]


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_each_kind_of_repository_is_created_listed_and_deleted(hub, api, kind):
    options = {"space_sdk": "gradio"} if kind == "space" else {}
    url = api.create_repo("ada/kinds", repo_type=kind, **options)
    assert (url.repo_id, url.repo_type, url.endpoint) == ("ada/kinds", kind, hub.url)
    listing = {"model": api.list_models, "dataset": api.list_datasets, "space": api.list_spaces}[kind]
    assert "ada/kinds" in [item.id for item in listing(author="ada")]
    assert api.repo_info("ada/kinds", repo_type=kind).id == "ada/kinds"
    api.delete_repo("ada/kinds", repo_type=kind)
    assert not api.repo_exists("ada/kinds", repo_type=kind)


def test_a_browser_reads_that_there_are_no_pages_whether_a_repository_is_there_or_not(hub, repo):
    said = {
        (answer.status_code, answer.text)
        for path in ("/", f"/{repo}", "/ada/nothing", f"/{repo}/discussions/1")
        for answer in [httpx.get(f"{hub.url}{path}", headers={"Accept": "text/html,*/*"})]
    }
    assert [(status, "open the Hub tab" in text) for status, text in said] == [(404, True)]
    assert httpx.get(f"{hub.url}/{repo}/discussions/1").headers["x-error-code"] == "RepoNotFound"


def test_a_name_without_a_namespace_is_ones_own(api):
    assert api.create_repo("plain-name").repo_id == "ada/plain-name"
    api.delete_repo("ada/plain-name")


def test_creating_a_repository_twice_is_a_conflict_unless_that_is_fine(api, repo):
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_repo(repo)
    assert refused.value.response.status_code == 409
    assert api.create_repo(repo, exist_ok=True).repo_id == repo
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(repo.replace("ada/test", "ada/TEST"))


def test_a_repository_in_somebody_elses_namespace_is_refused(api):
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_repo("bob/mine-now")
    assert refused.value.response.status_code == 403


def test_the_facts_of_a_model_come_from_its_files(api, repo):
    card = (
        "---\nlicense: mit\nlanguage: [en, fr]\ntags: [demo]\npipeline_tag: fill-mask\ndatasets: [a/b]\n---\n# Model\n"
    )
    api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=repo)
    config = b'{"model_type": "bert", "architectures": ["BertForMaskedLM"]}'
    api.upload_file(path_or_fileobj=config, path_in_repo="config.json", repo_id=repo)
    info = api.model_info(repo)
    assert (info.author, info.private, info.gated, info.library_name) == ("ada", False, False, "transformers")
    assert (info.pipeline_tag, info.card_data.license) == ("fill-mask", "mit")
    assert {"en", "fr", "demo", "license:mit", "dataset:a/b", "bert", "transformers"} <= set(info.tags)
    assert info.config["architectures"] == ["BertForMaskedLM"]
    assert info.transformers_info.auto_model == "AutoModelForMaskedLM"
    assert info.created_at <= info.last_modified
    assert info.sha == api.list_repo_commits(repo)[0].commit_id


def test_parameters_are_counted_from_the_weights(api, repo, tmp_path):
    numpy = pytest.importorskip("numpy")
    from safetensors.numpy import save_file

    weights = tmp_path / "model.safetensors"
    save_file({"a": numpy.zeros((3, 4), "float32"), "b": numpy.zeros(5, "float16")}, weights)
    api.upload_file(path_or_fileobj=weights, path_in_repo="model.safetensors", repo_id=repo)
    info = api.model_info(repo, files_metadata=True, securityStatus=True)
    assert (info.safetensors.total, info.safetensors.parameters) == (17, {"F32": 12, "F16": 5})
    (large,) = [file for file in info.siblings if file.lfs]
    assert (large.rfilename, large.size) == ("model.safetensors", weights.stat().st_size)
    assert api.get_safetensors_metadata(repo).parameter_count == {"F32": 12, "F16": 5}


def test_only_the_properties_asked_for_are_sent(api):
    info = api.model_info("starter/small", expand=["sha", "downloads"])
    assert info.sha
    assert info.downloads is not None
    assert info.siblings is None


def test_a_download_of_the_configuration_counts_once(api, hub):
    before = api.model_info("starter/small").downloads
    api.hf_hub_download("starter/small", "config.json")
    assert api.model_info("starter/small").downloads == before + 1


def test_a_private_repository_exists_for_its_owner_only(hub, api, repo):
    api.update_repo_settings(repo, private=True)
    assert api.model_info(repo).private
    api.auth_check(repo)
    for other in (hub.api("bob"), hub.api(None)):
        assert not other.repo_exists(repo)
        assert repo not in [model.id for model in other.list_models()]
        for call in (other.model_info, other.auth_check, other.list_repo_files, other.list_repo_refs):
            with pytest.raises(RepositoryNotFoundError):
                call(repo)
        with pytest.raises(RepositoryNotFoundError):
            other.hf_hub_download(repo, ".gitattributes")
    api.update_repo_settings(repo, private=False)
    assert hub.api(None).repo_exists(repo)


def test_a_repository_moves_with_all_it_holds(api, repo):
    api.upload_file(path_or_fileobj=b"kept", path_in_repo="a.txt", repo_id=repo)
    api.move_repo(repo, "ada/moved")
    assert not api.repo_exists(repo)
    assert api.file_exists("ada/moved", "a.txt")
    with pytest.raises(HfHubHTTPError, match="403"):
        api.move_repo("ada/moved", "bob/moved")
    api.delete_repo("ada/moved")


def test_somebody_elses_repository_can_be_neither_changed_nor_deleted(hub, api, repo):
    bob = hub.api("bob")
    api.auth_check(repo, write=True)
    changes = [
        lambda: bob.auth_check(repo, write=True),
        lambda: bob.delete_repo(repo),
        lambda: bob.update_repo_settings(repo, private=True),
        lambda: bob.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo),
        lambda: bob.create_branch(repo, branch="b"),
        lambda: bob.create_tag(repo, tag="t"),
        lambda: bob.move_repo(repo, "bob/moved"),
        lambda: bob.delete_file(".gitattributes", repo),
    ]
    for change in changes:
        with pytest.raises(HfHubHTTPError) as refused:
            change()
        assert refused.value.response.status_code == 403
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_missing_repositories_and_revisions_have_the_clients_own_exceptions(api, hub, repo):
    for client in (api, hub.api(None)):
        for name in ("ada/nothing", "nobody/nothing", "bert-base-uncased"):
            with pytest.raises(RepositoryNotFoundError):
                client.model_info(name)
            with pytest.raises(RepositoryNotFoundError):
                client.hf_hub_download(name, "config.json")
            with pytest.raises(RepositoryNotFoundError):
                client.snapshot_download(name)
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo, revision="nothing")
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo("ada/nothing")
    api.delete_repo("ada/nothing", missing_ok=True)


def test_a_wrong_token_is_told_apart_from_a_missing_repository(hub):
    stranger = HfApi(endpoint=hub.url, token="hf_wrong")
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        stranger.whoami()
    with pytest.raises(HfHubHTTPError) as refused:
        stranger.model_info("starter/small")
    assert refused.value.response.status_code == 401
    assert not isinstance(refused.value, RepositoryNotFoundError)


def test_writing_needs_a_token(hub, repo):
    anonymous = hub.api(None)
    with pytest.raises(HfHubHTTPError) as refused:
        anonymous.create_repo("ada/anonymous")
    assert refused.value.response.status_code == 401
    with pytest.raises(HfHubHTTPError) as refused:
        anonymous.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo)
    assert refused.value.response.status_code == 401
