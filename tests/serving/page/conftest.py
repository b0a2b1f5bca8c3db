"""A real browser on the served page. Every visit is checked at its end: no console errors, nothing asked of another origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import EXAMPLE
from tests.serving.chromium import WIDE
from tests.serving.process import PATIENCE, Served

TEXT = EXAMPLE.read_text(encoding="utf-8")

Visit = Callable[..., Page]


@dataclass
class Watch:
    """What a visit did: requests by method and path, complaints of the console, requests to elsewhere."""

    origin: str
    paths: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note(request.method, request.url))

    def _note(self, method: str, url: str) -> None:
        if url.startswith(self.origin):
            self.paths.append(f"{method} {url.removeprefix(self.origin)}")
        elif not url.startswith("blob:"):
            self.elsewhere.append(url)


@pytest.fixture
def watch(server: Served) -> Watch:
    return Watch(server.url)


@pytest.fixture
def visit(browser: Browser, server: Served, watch: Watch) -> Iterator[Visit]:
    """Open the page: ``visit("#lang=en", scheme="dark", size=PHONE)``; with ``tagged`` the example report is on it."""
    contexts = []

    def open_page(hash: str = "", *, tagged: str | None = None, scheme: Any = "light", size: Any = WIDE, touch: bool = False) -> Page:
        context = browser.new_context(viewport=size, color_scheme=scheme, has_touch=touch, accept_downloads=True)
        context.set_default_timeout(1000 * PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch.attach(page)
        page.goto(f"{server.url}/{hash}", wait_until="networkidle")
        if tagged is not None:
            paste(page, tagged)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # The browser itself reports an answer of 4xx on the console; the page's own words for it are tested.
    assert [line for line in watch.complaints if not line.startswith("Failed to load resource")] == []
    assert watch.elsewhere == []


def paste(page: Page, text: str) -> None:
    """Paste a report and wait until it is tagged."""
    page.locator("#text").fill(text)
    page.locator("#tag").click()
    page.locator("#report .unit").first.wait_for()


@pytest.fixture(scope="session")
def answer(server: Served) -> list[dict[str, Any]]:
    """What the service says of the example report."""
    units: list[dict[str, Any]] = server.post(json={"text": TEXT, "explain": 2}).json()["units"]
    return units


@pytest.fixture(scope="session")
def names(server: Served) -> dict[str, dict[str, str]]:
    """Themes and leaves by code."""
    themes = server.get("/taxonomy").json()["themes"]
    return {entry["code"]: entry for theme in themes for entry in [theme, *theme["leaves"]]}
