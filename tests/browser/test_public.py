"""A public app in Chromium: each visitor gets the files that the page gives them, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def public(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = start_app(tmp_path_factory.mktemp("public"), "--hub", "local", "--host", "0.0.0.0")
    yield running
    running.stop()


class Files:
    """The addresses of files that a page was given, and those that it was refused."""

    def __init__(self, page: Page) -> None:
        self.given: list[str] = []
        self.refused: list[str] = []
        page.on("response", lambda one: "/file=" in one.url and self.note(one.url, one.status))

    def note(self, url: str, status: int) -> None:
        """Remember one of them."""
        (self.given if status < 400 else self.refused).append(url)

    def has(self, name: str) -> bool:
        """Whether a file of that name has come."""
        return any(url.endswith(name) for url in self.given)


@pytest.fixture
def visited(page: Page, public: Any) -> tuple[Page, Files]:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    files = Files(page)
    page.goto(public.url)
    expect(page.locator("#who")).to_contain_text("not signed in")
    return page, files


def choose(page: Page, title: str) -> None:
    page.locator("#pg-task input").click()
    page.locator("#pg-task input").fill(title)
    page.get_by_role("option", name=re.compile(f"^{title}")).first.click()


@pytest.mark.parametrize(
    ("task", "sample"),
    [("Image classification", "cat.png"), ("Automatic speech recognition", ".ogg"), ("Video classification", ".mp4")],
)
def test_samples_of_pictures_sounds_and_videos_come(visited: tuple[Page, Files], task: str, sample: str) -> None:
    page, files = visited
    with page.expect_response(lambda one: "/file=" in one.url and one.url.endswith(sample)) as answer:
        choose(page, task)
    assert answer.value.status in (200, 206)
    assert files.refused == []


def test_what_is_downloaded_is_its_visitor_s_alone(visited: tuple[Page, Files], public: Any) -> None:
    page, files = visited
    page.get_by_role("tab", name="Batch", exact=True).click()
    page.locator("#pg-batch-rows textarea").fill("text\nI love this film\n=1+1")
    page.locator("#pg-batch-run").click()
    with page.expect_download() as table:
        page.locator("#pg-batch-csv").click()
    assert "'=1+1" in table.value.path().read_text()
    assert httpx.get(table.value.url).status_code in (403, 404)
    assert page.request.get(table.value.url).ok
    assert files.refused == []
