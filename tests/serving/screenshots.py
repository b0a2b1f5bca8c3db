"""Pictures of the page and of the HTML report, to look at: python -m tests.serving.screenshots FOLDER"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from serving.report.figures import Report
from serving.report.render import render
from tests.conftest import EXAMPLE, ROOT, SHIPPED
from tests.serving.chromium import PHONE, WIDE, chromium
from tests.serving.process import Served, served
from zhuti.tagger import Tagger

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True, "device_scale_factor": 2},
}


def of_the_page(browser: Browser, server: Served, look: str, folder: Path) -> None:
    """The empty page, the example, a sentence with its card and its correction, a filter, and all of it from top to bottom."""
    page = browser.new_page(**LOOKS[look])

    def shoot(name: str, **options: Any) -> None:
        page.screenshot(path=folder / f"page-{look}-{name}.png", animations="disabled", **options)

    page.goto(server.url, wait_until="networkidle")
    shoot("1-empty")
    page.get_by_role("button", name="看一个例子").click()
    page.get_by_role("button", name="标注", exact=True).click()
    page.locator("#report .unit").first.wait_for()
    shoot("2-report")
    shoot("3-whole", full_page=True)
    page.locator("#report .unit").nth(14).click()
    shoot("4-card")
    page.get_by_role("button", name="更正主题").click()
    shoot("5-correction")
    page.keyboard.press("Escape")
    if look == "phone":
        page.locator("#panel summary").click()
    page.locator(".legend .theme").nth(2).click()
    shoot("6-filter")
    page.close()


def of_the_report(browser: Browser, file: Path, look: str, folder: Path) -> None:
    page = browser.new_page(**LOOKS[look])
    page.goto(file.as_uri())
    page.screenshot(path=folder / f"{file.stem}-{look}-1-top.png")
    page.screenshot(path=folder / f"{file.stem}-{look}-2-whole.png", full_page=True)
    page.close()


def written(folder: Path) -> list[Path]:
    """:return: the HTML reports of one document and of three."""
    tagger = Tagger.load(SHIPPED)
    documents = [ROOT / "data" / "documents" / f"{name}.txt" for name in ("jilin-2023", "xining-2013", "zhuzhou-2021")]
    files = []
    for name, paths in {"report": [EXAMPLE], "compared": documents}.items():
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
        reports = [Report(document, text, tagger.tag(text)) for document, text in texts.items()]
        file = folder / f"{name}.html"
        file.write_text(render(reports, tagger.taxonomy, tagger.artifact.name), encoding="utf-8")
        files.append(file)
    return files


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as server, chromium() as browser:
        files = written(Path(home))
        for look in LOOKS:
            of_the_page(browser, server, look, folder)
            for file in files:
                of_the_report(browser, file, look, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
