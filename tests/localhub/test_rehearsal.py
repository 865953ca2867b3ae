"""The switches for tests: the request log and the faults."""

import time
from pathlib import Path

import httpx
import pytest
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import http_backoff

LARGE = bytes(range(256)) * 20_000


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory, hub):
    running = type(hub)(tmp_path_factory.mktemp("rehearsal"), "--test")
    api = running.api()
    api.create_repo("ada/m")
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="w.bin", repo_id="ada/m")
    yield running
    assert "Traceback" not in running.stop()


@pytest.fixture
def spoil(rehearsal):
    """A function that adds a fault; all are removed at the end."""

    def add(**fault):
        assert httpx.post(f"{rehearsal.url}/test/faults", json=fault).status_code == 200

    yield add
    httpx.delete(f"{rehearsal.url}/test/faults")


def test_without_the_switch_there_is_no_log_and_no_fault(hub):
    for address in ("requests", "faults"):
        assert httpx.get(f"{hub.url}/test/{address}").status_code in (401, 404)
    assert httpx.post(f"{hub.url}/test/faults", json={"status": 500}).status_code in (401, 404, 405)
    assert httpx.get(f"{hub.url}/health").status_code == 200


def test_the_log_tells_what_was_asked(rehearsal):
    httpx.delete(f"{rehearsal.url}/test/requests")
    rehearsal.api().model_info("ada/m", files_metadata=True)
    rehearsal.api().file_exists("ada/m", "nothing")
    first, second = httpx.get(f"{rehearsal.url}/test/requests").json()
    assert (first["method"], first["path"], first["query"]) == ("GET", "/api/models/ada/m", "blobs=true")
    assert (second["method"], second["path"], second["status"]) == ("HEAD", "/ada/m/resolve/main/nothing", 404)
    assert first["seconds"] >= 0
    assert first["bytes"] > 100


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401, "code": "RepoNotFound"}, RepositoryNotFoundError),
        ({"status": 403, "code": "GatedRepo"}, GatedRepoError),
        ({"status": 403}, HfHubHTTPError),
        ({"status": 404, "code": "EntryNotFound"}, EntryNotFoundError),
        ({"status": 412, "message": "A commit has happened since."}, HfHubHTTPError),
        ({"status": 500}, HfHubHTTPError),
        ({"status": 503}, HfHubHTTPError),
    ],
)
def test_a_fault_is_the_clients_own_exception(rehearsal, spoil, fault, error):
    spoil(path="^/api/models/ada/m$", method="GET", **fault)
    with pytest.raises(error) as refused:
        rehearsal.api().model_info("ada/m")
    assert refused.value.response.status_code == fault["status"]
    assert rehearsal.api().list_repo_files("ada/m")


def test_a_fault_comes_as_often_as_was_asked(rehearsal, spoil):
    spoil(path="/whoami", status=500, times=2)
    for _ in range(2):
        with pytest.raises(HfHubHTTPError):
            rehearsal.api().whoami()
    assert rehearsal.api().whoami()["name"] == "ada"
    assert httpx.get(f"{rehearsal.url}/test/faults").json() == []


def test_a_client_waits_as_long_as_retry_after_says(rehearsal, spoil):
    spoil(path="/health", status=429, headers={"Retry-After": "1"}, times=1)
    began = time.monotonic()
    answer = http_backoff("GET", f"{rehearsal.url}/health", base_wait_time=0.01)
    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.9


def test_an_answer_can_be_slow(rehearsal, spoil):
    spoil(path="/health", seconds=0.3)
    assert httpx.get(f"{rehearsal.url}/health").elapsed.total_seconds() >= 0.3
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{rehearsal.url}/health", timeout=0.05)


def test_an_answer_that_breaks_off_is_taken_up_again(rehearsal, spoil):
    spoil(path="/resolve/.*/w.bin", method="GET", drop=1_000_000, times=2)
    httpx.delete(f"{rehearsal.url}/test/requests")
    found = rehearsal.api().hf_hub_download("ada/m", "w.bin")
    assert Path(found).read_bytes() == LARGE
    requests = httpx.get(f"{rehearsal.url}/test/requests").json()
    assert len([entry for entry in requests if entry["method"] == "GET"]) == 3


def test_an_upload_survives_a_server_that_stumbles(rehearsal, spoil):
    spoil(path="/info/lfs/objects/", method="PUT", status=500, times=1)
    api = rehearsal.api()
    api.upload_file(path_or_fileobj=LARGE[::-1], path_in_repo="v.bin", repo_id="ada/m")
    assert api.file_exists("ada/m", "v.bin")


@pytest.mark.parametrize("fault", [{"path": "("}, {"unknown": 1}])
def test_what_is_no_fault_is_refused(rehearsal, fault):
    assert httpx.post(f"{rehearsal.url}/test/faults", json=fault).status_code == 400
