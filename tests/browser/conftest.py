"""The page in Chromium, as a person meets it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine. A laptop without one skips; the check server must have it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium on this machine, and the check needs one.")
        pytest.skip("There is no Chromium on this machine: install Debian's package chromium to run these tests.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new window, as a first visit."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One window that the tests of a file go on with: each first puts right what it needs."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def opened(window: Page, app: Any) -> Page:
    """That window on the page of a first visit."""
    window.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    window.goto(f"{app.url}/?__theme=light")
    expect(window.locator("#who")).to_contain_text("signed in as me")
    return window


@pytest.fixture(scope="session")
def look() -> Callable[[Page, str], None]:
    """`look(page, name)` leaves a picture of the page and asserts that nothing on it keeps anybody out."""
    folder = Path(__file__).parent.parent.parent / "screenshots"
    folder.mkdir(exist_ok=True)

    def taken(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        assert barriers(page) == []

    return taken


def barriers(page: Page) -> list[str]:
    """The serious and critical findings of axe-core on the page as it stands: the rule, where, and why."""
    expect(page.locator(".pending:visible")).to_have_count(0)  # Gradio draws pale what is about to change
    new = page.locator(":is(.cm-content, .code_wrap > pre):visible:not([tabindex])")
    expect(new).to_have_count(0)  # the page makes what has just appeared reachable by keyboard
    return [
        f"{rule['id']} at {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
