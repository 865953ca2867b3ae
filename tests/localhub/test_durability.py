"""What was pushed stays, whole; what was not finished leaves nothing behind."""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import HfHubHTTPError

from components.localhub.hub import in_blocks


def test_what_was_pushed_is_there_after_a_restart(start_hub):
    first = start_hub()
    api = first.api()
    api.create_repo("ada/kept", private=True)
    api.upload_file(path_or_fileobj=b"\0" * 100_000, path_in_repo="w.bin", repo_id="ada/kept")
    api.create_tag("ada/kept", tag="v1")
    head = api.model_info("ada/kept").sha
    first.stop(kill=True)
    again = start_hub().api()
    info = again.model_info("ada/kept", revision="v1")
    assert (info.sha, info.private) == (head, True)
    with open(again.hf_hub_download("ada/kept", "w.bin"), "rb") as stream:
        assert stream.read() == b"\0" * 100_000


def test_killed_in_the_middle_of_an_upload_nothing_of_it_is_there(start_hub):
    running = start_hub()
    api = running.api()
    api.create_repo("ada/half")
    head = api.model_info("ada/half").sha
    content = os.urandom(2_000_000)
    oid = hashlib.sha256(content).hexdigest()
    batch = {"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = httpx.post(f"{running.url}/ada/half.git/info/lfs/objects/batch", json=batch, headers=headers)
    address = urlsplit(answer.json()["objects"][0]["actions"]["upload"]["href"])
    commit = (
        b'{"key": "header", "value": {"summary": "half"}}\n{"key": "file", "value": {"path": "a", "content": "x"}}\n'
    )
    with (
        socket.create_connection((address.hostname, address.port)) as upload,
        socket.create_connection((address.hostname, address.port)) as writer,
    ):
        request = f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        upload.sendall(f"{request}Content-Length: {len(content)}\r\n\r\n".encode() + content[:1_000_000])
        request = f"POST /api/models/ada/half/commit/main HTTP/1.1\r\nHost: {address.netloc}\r\n"
        request += f"Authorization: {headers['Authorization']}\r\nContent-Length: 100000\r\n\r\n"
        writer.sendall(request.encode() + commit)
        _wait_until(lambda: any((running.root / "tmp").iterdir()))
        running.stop(kill=True)
    again = start_hub()
    assert again.api().model_info("ada/half").sha == head
    assert not list((running.root / "tmp").iterdir())
    assert not list((running.root / "models/ada/half.git/lfs/objects").iterdir())
    again.api().upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id="ada/half")


def test_a_lock_left_by_a_killed_server_blocks_nobody(start_hub):
    running = start_hub()
    running.api().create_repo("ada/locked")
    running.stop(kill=True)
    (running.root / "models/ada/locked.git/refs/heads/main.lock").touch()
    start_hub().api().upload_file(path_or_fileobj=b"x", path_in_repo="a", repo_id="ada/locked")


def test_a_second_server_on_one_folder_is_refused(start_hub):
    running = start_hub()
    with pytest.raises(AssertionError, match="Another server is using this folder"):
        start_hub()
    assert running.api().whoami()["name"] == "ada"


def test_a_client_that_hangs_up_leaves_no_file(hub, api, repo):
    content = os.urandom(100_000)
    entry = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    headers = {"Authorization": f"Bearer {api.token}"}
    batch = {"operation": "upload", "objects": [entry]}
    answer = httpx.post(f"{hub.url}/{repo}.git/info/lfs/objects/batch", json=batch, headers=headers)
    address = urlsplit(answer.json()["objects"][0]["actions"]["upload"]["href"])
    with socket.create_connection((address.hostname, address.port)) as upload:
        request = f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        upload.sendall(f"{request}Content-Length: {len(content)}\r\n\r\n".encode() + content[:5000])
        _wait_until(lambda: any((hub.root / "tmp").iterdir()))
    _wait_until(lambda: not any((hub.root / "tmp").iterdir()))


MEGABYTES = int(os.environ.get("LOCALHUB_TEST_MEGABYTES", "300"))


def test_large_files_pass_through_little_memory(start_hub, tmp_path):
    """In parts up, in one piece down. LOCALHUB_TEST_MEGABYTES=2048 makes it a file of 2 GB."""
    hub = start_hub()
    api, server = hub.api(), psutil.Process(hub.process.pid)
    api.create_repo("ada/large")
    file = tmp_path / "large.bin"
    with file.open("wb") as stream:
        stream.truncate(MEGABYTES * 1024**2)
        for place in range(0, MEGABYTES, 10):
            stream.seek(place * 1024**2)
            stream.write(os.urandom(1024**2))
    most, done = [server.memory_info().rss], threading.Event()

    def watch():
        while not done.wait(0.02):
            most.append(server.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        api.upload_file(path_or_fileobj=file, path_in_repo="large.bin", repo_id="ada/large")
        found = api.hf_hub_download("ada/large", "large.bin")
    finally:
        done.set()
        watcher.join()
    with open(found, "rb") as copy, file.open("rb") as original:
        digests = [hashlib.file_digest(stream, "sha256").digest() for stream in (copy, original)]
    assert digests[0] == digests[1]
    print(f"peak {max(most) / 1024**2:.0f} MiB")
    assert max(most) < 120 * 1024**2


def _multipart(http, repo, content):
    entry = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    batch = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [entry]}
    (answer,) = http.post(f"/{repo}.git/info/lfs/objects/batch", json=batch).json()["objects"]
    action = answer["actions"]["upload"]
    urls = {int(key): url for key, url in action["header"].items() if key.isdigit()}
    return action["href"], urls, int(action["header"]["chunk_size"]), entry


def test_parts_may_come_in_any_order_and_more_than_once(http, api, repo):
    content = os.urandom(1024) * 140 * 1024
    href, urls, step, entry = _multipart(http, repo, content)
    assert len(urls) == 3
    for number in (3, 1, 1, 2):
        part = content[(number - 1) * step : number * step]
        assert http.put(urls[number], content=part).headers["etag"]
    assert http.post(href, json={"oid": entry["oid"], "parts": []}).is_success
    assert http.post(href, json={"oid": entry["oid"], "parts": []}).is_success
    assert http.post(f"/{repo}.git/info/lfs/objects/verify", json=entry).is_success


def test_parts_that_are_not_the_announced_file_are_dropped(hub, http, repo):
    content = bytes(70 * 1024**2)
    href, urls, step, entry = _multipart(http, repo, content)
    assert http.post(href, json={}).status_code == 400
    assert http.put(urls[1], content=content[:100]).status_code == 400
    assert http.put(urls[2], content=content).status_code == 400
    assert http.put(urls[1].replace("/1?", "/2?"), content=b"x").status_code == 403
    http.put(urls[1], content=content[:step])
    http.put(urls[2], content=b"\1" * (len(content) - step))
    assert http.post(href, json={}).status_code == 400
    assert http.post(f"/{repo}.git/info/lfs/objects/verify", json=entry).status_code == 404
    assert not list((hub.root / "tmp").iterdir())


def test_a_full_disk_is_told_and_costs_nothing_but_the_upload(start_hub, tmp_path):
    hub = start_hub()
    api = hub.api()
    api.create_repo("ada/full")
    head = api.upload_file(path_or_fileobj=b"kept", path_in_repo="a.txt", repo_id="ada/full").oid
    # A process may write no file beyond this size: for the server it is what a full disk is.
    psutil.Process(hub.process.pid).rlimit(psutil.RLIMIT_FSIZE, (100_000, -1))
    for content in (os.urandom(500_000), os.urandom(5_000_000)):
        with pytest.raises((HfHubHTTPError, RuntimeError)) as refused:
            api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id="ada/full")
        assert "507" in str(refused.value) or "507" in str(refused.value.__cause__)
    text = os.urandom(300_000).hex().encode()
    with pytest.raises(HfHubHTTPError, match="507"):
        api.upload_file(path_or_fileobj=text, path_in_repo="text.txt", repo_id="ada/full")
    assert api.model_info("ada/full").sha == head
    assert not list((hub.root / "tmp").iterdir())
    psutil.Process(hub.process.pid).rlimit(psutil.RLIMIT_FSIZE, (-1, -1))
    api.upload_file(path_or_fileobj=b"\0" * 500_000, path_in_repo="w.bin", repo_id="ada/full")
    assert "Traceback" not in hub.stop()


def test_killed_again_and_again_while_eight_write_every_commit_is_whole_or_absent(start_hub, tmp_path):
    hub = start_hub()
    hub.api().create_repo("ada/storm")
    landed = set()
    for turn in range(3):

        def write(number, turn=turn, url=hub.url):  # not the client: it would wait for the server to come back
            for step in range(100):
                name = f"{turn}-{number}-{step}"
                lines = [{"key": "header", "value": {"summary": name}}]
                lines += [{"key": "file", "value": {"path": path, "content": name}} for path in _storm_files(name)]
                body = "\n".join(map(json.dumps, lines))
                headers = {"Authorization": "Bearer hf_ada_secret"}
                try:
                    answer = httpx.post(f"{url}/api/models/ada/storm/commit/main", content=body, headers=headers)
                except httpx.HTTPError:
                    return
                assert answer.is_success
                landed.add(name)

        writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for writer in writers:
            writer.start()
        wanted = len(landed) + 8
        _wait_until(lambda wanted=wanted: len(landed) > wanted)
        hub.stop(kill=True)
        for writer in writers:
            writer.join()
        hub = start_hub()
    api = hub.api()
    files = set(api.list_repo_files("ada/storm")) - {".gitattributes"}
    names = {file.removesuffix(".txt") for file in files if file.endswith(".txt")}
    assert landed <= names
    assert files == {path for name in names for path in _storm_files(name)}
    name = max(landed)
    with open(api.hf_hub_download("ada/storm", f"d/{name}.md")) as stream:
        assert stream.read() == name
    if shutil.which("git"):
        command = ["git", "-C", hub.root / "models/ada/storm.git", "fsck", "--strict"]
        check = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (check.returncode, "missing" in check.stdout) == (0, False), check.stdout + check.stderr


def test_the_server_answers_while_a_large_file_comes_in(hub, api, repo):
    content = os.urandom(30 * 1024**2)
    upload = threading.Thread(
        target=api.upload_file, kwargs={"path_or_fileobj": content, "path_in_repo": "w.bin", "repo_id": repo}
    )
    upload.start()
    slowest = 0.0
    while upload.is_alive():
        slowest = max(slowest, httpx.get(f"{hub.url}/health").elapsed.total_seconds())
    upload.join()
    assert slowest < 1


def test_deleting_under_writers_leaves_no_trace_of_the_repository(hub, api):
    api.create_repo("ada/vanishing")
    failures = []

    def write(number):
        for turn in range(20):
            operation = CommitOperationAdd(f"{number}-{turn}.bin", b"\0%d-%d" % (number, turn))
            try:
                hub.api().create_commit("ada/vanishing", [operation], commit_message="m")
            except (HfHubHTTPError, RuntimeError) as error:
                failures.append(error)
                return

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    _wait_until(lambda: len(api.list_repo_commits("ada/vanishing")) > 3)
    api.delete_repo("ada/vanishing")
    for writer in writers:
        writer.join()
    assert len(failures) == 3
    assert not (hub.root / "models/ada/vanishing.git").exists()
    api.create_repo("ada/vanishing")
    assert api.list_repo_files("ada/vanishing") == [".gitattributes"]
    api.delete_repo("ada/vanishing")


def test_git_itself_finds_the_repository_sound(hub, api, repo):
    api.upload_file(path_or_fileobj=b"x", path_in_repo="d/a.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=b"\0" * 99, path_in_repo="d/w.special", repo_id=repo)
    if subprocess.run(["git", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("git is not installed")
    folder = hub.root / "models" / f"{repo}.git"
    check = subprocess.run(["git", "-C", folder, "fsck", "--strict"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stderr) == (0, "")
    attributes = subprocess.run(
        ["git", "-C", folder, "show", "main:.gitattributes"], capture_output=True, text=True, check=True
    )
    assert "d/w.special filter=lfs" in attributes.stdout


def _storm_files(name):
    return f"{name}.txt", f"d/{name}.md"


def _wait_until(condition):
    """Return as soon as `condition` holds; the test's own timeout ends a wait in vain."""
    while not condition():
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)


async def _pieces(count: int, *, then: Exception | None = None) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * 100_000
    if then is not None:
        raise then


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: a browser's driver may have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def test_a_body_is_taken_in_large_blocks_whole_and_in_order() -> None:
    taken: list[bytes] = []
    _run(in_blocks(_pieces(50), taken.append))
    assert b"".join(taken) == b"".join(bytes([number]) * 100_000 for number in range(50))
    assert len(taken) < 10


@pytest.mark.parametrize("who", ["the sender", "the taker"])
def test_a_body_that_breaks_off_leaves_nobody_at_work(who: str) -> None:
    entered, left = [], []

    def take(block: bytes) -> None:
        entered.append(len(block))
        hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000)  # some work, which goes on while the sender breaks off
        left.append(len(block))
        if who == "the taker":
            raise ValueError("the disk is full")

    broken = ConnectionError("gone") if who == "the sender" else None
    with pytest.raises((ConnectionError, ValueError)):
        _run(in_blocks(_pieces(50, then=broken), take))
    assert entered == left
