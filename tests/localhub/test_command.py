"""The command line: starting, seeding, ending with its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "components.localhub"]


def test_the_help_names_every_option():
    text = subprocess.run([*COMMAND, "--help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    options = "--root --host --port --user --token --seed --with-parent --test LOCALHUB_TOKEN accounts"
    for option in options.split():
        assert option in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "ada"], "needs a --token"),
        (["--user", "a/b", "--token", "t"], "cannot be a user name"),
        (["--user", "api", "--token", "t"], "cannot be a user name"),
        (["--user", "ada", "--token", "two words"], "plain ASCII"),
        (["--seed", "/nothing/here"], "must be a folder"),
    ],
)
def test_a_wrong_option_is_refused_in_words(tmp_path, options, message):
    command = [*COMMAND, "--root", str(tmp_path / "root"), *options]
    env = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode != 0
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_answers_soon_and_imports_nothing_heavy(start_hub):
    began = time.monotonic()
    running = start_hub()
    running.api().whoami()
    assert time.monotonic() - began < 3
    code = (
        "import sys, components.localhub.__main__\n"
        "heavy = {'torch', 'gradio', 'huggingface_hub', 'transformers', 'numpy', 'components.service'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_a_new_token_replaces_the_old_one(start_hub):
    start_hub().stop()
    running = start_hub("--token", "hf_new")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    assert HfApi(endpoint=running.url, token="hf_new").whoami()["name"] == "ada"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        running.api().whoami()


def test_seeds_are_published_once_and_again_when_they_change(start_hub, tmp_path):
    folder = tmp_path / "seeds" / "models" / "starter" / "m"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    heads = []
    for change in (None, None, "touch", "edit", "remove"):
        if change == "touch":
            os.utime(folder / "config.json", (1, 1))
        elif change == "edit":
            (folder / "config.json").write_text('{"a": 1}')
        elif change == "remove":
            (folder / "config.json").unlink()
        running = start_hub("--seed", str(tmp_path / "seeds"))
        heads.append(running.api(None).model_info("starter/m").sha)
        files = {entry.path: entry for entry in running.api(None).list_repo_tree("starter/m")}
        running.stop()
    assert heads[0] == heads[1] == heads[2]
    assert len(set(heads[2:])) == 3
    assert set(files) == {".gitattributes", "model.safetensors"}
    assert files["model.safetensors"].lfs is not None


def test_seeds_belong_to_nobody(hub, api):
    from huggingface_hub.errors import HfHubHTTPError

    with pytest.raises(HfHubHTTPError, match="403"):
        api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="starter/small")
    with pytest.raises(HfHubHTTPError, match="403"):
        api.create_repo("starter/new")


def test_a_seed_in_the_namespace_of_a_user_is_refused(start_hub, tmp_path):
    (tmp_path / "seeds" / "models" / "ada" / "m").mkdir(parents=True)
    with pytest.raises(AssertionError, match="belongs to a user"):
        start_hub("--seed", str(tmp_path / "seeds"))


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no parents to follow there")
def test_it_ends_with_its_parent(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        f"command = {[*COMMAND, '--root', str(tmp_path / 'root'), '--with-parent']!r}\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    if sys.platform == "linux":  # the kernel sends it once for each thread of a parent, and all at once
        for _ in range(5000):
            child.send_signal(signal.SIGUSR1)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    child.wait(timeout=10)


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no parents to follow there")
def test_it_ends_if_its_parent_ended_before_it_could_look(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [*COMMAND, "--root", str(tmp_path / "root"), f"--with-parent={gone.pid}"]
    child = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)
    assert child.wait(timeout=60) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no parents to follow there")
def test_it_outlives_the_thread_that_started_it(tmp_path):
    code = (
        "import subprocess, sys, threading, urllib.request\n"
        f"command = {[*COMMAND, '--root', str(tmp_path / 'root'), '--with-parent']!r}\n"
        "children = []\n"
        "def start():\n"
        "    children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))\n"
        "    children.append(children[0].stdout.readline().split()[-1])\n"
        "thread = threading.Thread(target=start); thread.start(); thread.join()\n"
        "for _ in range(5):\n"
        "    assert urllib.request.urlopen(children[1] + '/health').status == 200\n"
        "    assert children[0].poll() is None\n"
        "    threading.Event().wait(0.3)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)
