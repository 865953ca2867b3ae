"""The Hub tab in Chromium: look around, make a repository, fill it, name it, delete it, sign in and out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Look = Callable[[Page, str], None]
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005000201a5f6"
    "45400000000049454e44ae426082"
)
CARD = """---
license: mit
---
# Mine
![theirs](https://evil.example/track.png) <img src="https://evil.example/b.png"> ![own](sub/pic.png)
<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">[a](javascript:window.hacked=3)
<div style="background:url(https://evil.example/c.png)">

```
<img src="https://evil.example/d.png">
```
</div>
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(window: Page, app: Any) -> Page:
    """The page, in which nothing from elsewhere may be asked for."""
    window.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    window.outside = []  # type: ignore[attr-defined]
    mine = (app.url, "data:", "blob:")
    window.on("request", lambda request: request.url.startswith(mine) or window.outside.append(request.url))
    window.goto(f"{app.url}/?__theme=light")
    expect(window.locator("#who")).to_contain_text("signed in as me")
    return window


@pytest.fixture
def hub_tab(opened: Page) -> Page:
    """The page on its Hub tab, with what is found."""
    opened.get_by_role("tab", name="Hub", exact=True).click()
    opened.get_by_role("tab", name="Find", exact=True).click()
    expect(opened.locator("#hub-found label").first).to_be_visible()
    return opened


def part(page: Page, name: str) -> None:
    page.locator("#hub-parts").get_by_role("tab", name=name, exact=True).click()


def fill(page: Page, field: str, text: str) -> None:
    page.locator(f"#{field} input, #{field} textarea").first.fill(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to upload, with one within it."""
    (tmp_path / "things" / "sub").mkdir(parents=True)
    (tmp_path / "things" / "README.md").write_text(CARD)
    (tmp_path / "things" / "sub" / "pic.png").write_bytes(PICTURE)
    return tmp_path / "things"


def test_somebody_looks_around(hub_tab: Page, look: Look) -> None:
    page = hub_tab
    page.locator("#hub-found").get_by_text("starter/sentiment").click()
    expect(page.locator("#hub-repo h2")).to_have_text("starter/sentiment")
    expect(page.locator("#hub-card")).to_contain_text("How to use")
    part(page, "Files")
    expect(page.locator("#hub-files")).to_contain_text("model.safetensors")
    part(page, "History")
    expect(page.locator("#hub-history")).to_contain_text("main")
    part(page, "Metadata")
    expect(page.locator("#hub-metadata")).to_contain_text("apache-2.0")
    part(page, "Manage")
    expect(page.locator("#hub-rights")).to_contain_text("not yours to change")
    expect(page.locator("#hub-delete")).to_be_hidden()
    part(page, "Learn")
    expect(page.locator("#hub-code")).to_contain_text("upload_folder")
    page.locator("#hub-way").get_by_text("git and hf").click()
    expect(page.locator("#hub-code")).to_contain_text("git clone")
    look(page, "hub-learn-light")
    page.locator("#hub-kind").get_by_text("Data sets").click()
    page.locator("#hub-found").get_by_text("starter/reviews").click()
    page.locator("#hub-to-data").click()
    expect(page.locator("#ft-dataset input, #ft-dataset textarea").first).to_have_value("starter/reviews")
    page.get_by_role("tab", name="Hub", exact=True).click()
    page.locator("#hub-kind").get_by_text("Models").click()
    page.locator("#hub-found").get_by_text("starter/stories").click()
    expect(page.locator("#hub-repo h2")).to_have_text("starter/stories")
    page.locator("#hub-to-play").click()
    expect(page.get_by_role("tab", name="Playground")).to_have_attribute("aria-selected", "true")


@pytest.mark.long
def test_a_repository_is_made_filled_and_deleted(hub_tab: Page, folder: Path, look: Look) -> None:
    page = hub_tab
    page.get_by_role("tab", name="Yours").click()
    page.get_by_role("button", name="New repository").click()
    fill(page, "hub-new-name", "things")
    page.locator("#hub-create").click()
    expect(page.locator("#hub-told-new")).to_contain_text("me/things is there, private and empty")
    expect(page.locator("#hub-repo h2")).to_have_text("me/things")
    page.locator("#hub-create").click()
    expect(page.locator("#hub-told-new")).to_contain_text("Give the repository a name")

    part(page, "Manage")
    page.locator("#hub-drop input").nth(1).set_input_files(str(folder))
    expect(page.locator("#hub-drop li")).to_have_count(2)
    page.locator("#hub-upload").click()
    expect(page.locator("#hub-told-upload")).to_contain_text("2 files in commit")
    page.locator("#hub-drop input").nth(1).set_input_files(str(folder))
    expect(page.locator("#hub-drop li")).to_have_count(2)
    page.locator("#hub-upload").click()
    expect(page.locator("#hub-told-upload")).to_contain_text("already holds")
    look(page, "hub-manage-light")

    part(page, "Card")
    expect(page.locator("#hub-card img")).to_have_count(1)
    page.wait_for_function("document.querySelector('#hub-card img').naturalWidth === 1")
    assert page.evaluate("window.hacked") is None
    assert page.outside == []  # type: ignore[attr-defined]
    part(page, "Files")
    expect(page.locator("#hub-files")).to_contain_text("sub/pic.png")

    part(page, "Manage")
    page.get_by_role("button", name="Branches and tags").click()
    fill(page, "hub-ref", "v1.0")
    page.locator("#hub-add-ref").click()
    expect(page.locator("#hub-told-ref")).to_contain_text("The tag v1.0 is at main")
    page.get_by_role("button", name="Visibility, name, deletion").click()
    fill(page, "hub-confirm", "things")
    page.locator("#hub-delete").click()
    expect(page.locator("#hub-told-settings")).to_contain_text("type its full name: me/things")
    fill(page, "hub-confirm", "me/things")
    page.locator("#hub-delete").click()
    expect(page.locator("#hub-repo")).to_contain_text("me/things and its history are deleted")
    expect(page.locator("#hub-mine")).not_to_contain_text("me/things")


def test_signing_in_and_out_is_for_the_page_alone(hub_tab: Page, app: Any) -> None:
    page = hub_tab
    page.get_by_role("tab", name="Account").click()
    expect(page.locator("#hub-who")).to_contain_text("me")
    fill(page, "hub-token", "hf_nobody_has_this_one")
    page.locator("#hub-sign-in").click()
    expect(page.locator("#hub-told")).to_contain_text("does not accept")
    expect(page.locator("#who")).to_contain_text("signed in as me")
    page.locator("#hub-sign-out").click()
    expect(page.locator("#hub-told")).to_contain_text("the login of this machine")
    fill(page, "hub-token", (app.home / "hub" / "token").read_text().strip())
    page.locator("#hub-sign-in").click()
    expect(page.locator("#hub-told")).to_contain_text("You act as me on this page")
    expect(page.locator("#hub-token input")).to_have_value("")
    page.locator("#hub-sign-out").click()
    expect(page.locator("#hub-told")).to_contain_text("its login counts again")
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])").count("hf_") == 0


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page: Page, app: Any, width: int, theme: str, look: Look) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{app.url}/?__theme={theme}")
    page.get_by_role("tab", name="Hub", exact=True).click()
    expect(page.locator("#hub-card")).to_be_visible()
    for name in ("Files", "History", "Metadata", "Manage", "Learn", "Card"):
        part(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    look(page, f"hub-{theme}-{width}")
