"""The pictures of the guide, made from the running app in Chromium: `python -m tests.pictures`.

A new app on its embedded Hub is walked round once, as a newcomer would; nothing on the pictures is drawn by hand.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 860}
#: Largest picture, in bytes.
MOST = 150_000
#: How long any step may take, in milliseconds.
PATIENCE = 180_000
COURSE = "I've been waiting for a HuggingFace course my whole life."


@contextmanager
def started(home: Path) -> Iterator[str]:
    """The address of a new app with its data in `home`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "app.py", "--hub", "local", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "HF_HOME": str(home / "hf")})
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def keep(page: Page, folder: Path, name: str) -> None:
    """Write what the window shows as a picture."""
    expect(page.locator(".pending:visible")).to_have_count(0)
    page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    file = folder / f"{name}.webp"
    picture.convert("RGB").save(file, quality=80, method=6)
    if file.stat().st_size > MOST:
        raise SystemExit(f"{file} has {file.stat().st_size:,} bytes, more than {MOST:,}.")
    sys.stdout.write(f"{file} {file.stat().st_size:,} bytes\n")


def top(page: Page, selector: str) -> None:
    """Scroll so that a part stands at the top of the window."""
    page.locator(selector).first.evaluate("part => window.scrollTo(0, part.getBoundingClientRect().top + scrollY - 16)")


def run_a_model(page: Page, folder: Path) -> None:
    """The playground, with a result and its steps."""
    expect(page.locator("#who")).to_contain_text("signed in as me")
    page.locator("#pg-text textarea").fill(COURSE)
    page.locator("#pg-run").click()
    expect(page.locator("#pg-result .wb-first")).to_contain_text("positive")
    page.get_by_role("tab", name="Under the hood").click()
    expect(page.locator("#pg-stages .wb-stage")).to_have_count(3)
    top(page, "#tabs")
    keep(page, folder, "playground")


def look_at_tokens(page: Page, folder: Path) -> None:
    """The tokenizer's tokens, coloured and as a table."""
    page.get_by_role("button", name="See its tokens").click()
    expect(page.locator("#tok-strip")).to_contain_text("waiting")
    page.get_by_text("As a table", exact=True).locator("visible=true").first.click()
    top(page, "#tabs")
    keep(page, folder, "tokenizer")


def fine_tune(page: Page, folder: Path) -> None:
    """A run of one epoch with its curves."""
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("positive")
    page.locator("#ft-epochs input").fill("1")
    page.locator("#ft-samples textarea").fill(f"{COURSE}\nI hate this so much!")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Finished")
    expect(page.locator("#ft-run svg").first).to_be_visible()
    top(page, "#ft-run")
    keep(page, folder, "fine-tune")


def write_and_publish(page: Page, folder: Path) -> None:
    """The card of the run, and the repository that it is pushed to."""
    page.locator("#ft-to-card").click()
    expect(page.locator("#card-preview")).to_contain_text("Training")
    page.locator("#card-repo input, #card-repo textarea").first.fill("my-first-model")
    top(page, "#tabs")
    keep(page, folder, "model-card")
    page.locator("#card-publish").click()
    expect(page.locator("#card-published")).to_contain_text("me/my-first-model now has commit")
    page.get_by_role("tab", name="Hub", exact=True).click()
    page.get_by_role("tab", name="Yours").click()
    page.locator("#hub-mine").get_by_text("me/my-first-model").click()
    expect(page.locator("#hub-repo h2")).to_have_text("me/my-first-model")
    top(page, "#tabs")
    keep(page, folder, "hub")


def main() -> None:
    """Walk round, and write a picture of each tab."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they go (default: docs/pictures)")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("There is no Chromium on this machine: install Debian's package chromium.")
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as home, started(Path(home)) as address, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]).new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/?__theme=light")
        for step in (run_a_model, look_at_tokens, fine_tune, write_and_publish):
            step(page, folder)


if __name__ == "__main__":
    main()
