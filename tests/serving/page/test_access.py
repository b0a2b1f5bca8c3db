"""Reading the page with other eyes, hands and paper: contrast, colour vision, names, keyboard, phone, print, English."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.serving.chromium import PHONE
from tests.serving.contrast import CONTRAST
from tests.serving.page.conftest import TEXT, Visit

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB
VISION = {
    "usual": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}
THEMES = ["political", "ideology", "cadres", "discipline", "grassroots", "talent", "service", "veterans", "department"]

PAINT = "words => getComputedStyle(words).backgroundColor"
HUES = """(themes) => themes.map(theme => {
  const tile = document.createElement('span'); tile.className = 'tile'; tile.dataset.theme = theme; document.body.append(tile);
  const colour = getComputedStyle(tile).backgroundColor; tile.remove(); return colour.match(/[\\d.]+/g).slice(0, 3).map(Number); })"""


def linear(colour: Any) -> Any:
    value = np.asarray(colour) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(rgb: Any) -> Any:
    """Björn Ottosson 2020, from linear RGB."""
    lms = np.cbrt(
        np.array([[0.4122215, 0.5363325, 0.0514460], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]])
        @ np.clip(rgb, 0, 1)
    )
    return np.array([[0.2104543, 0.7936178, -0.0040720], [1.9779985, -2.4285922, 0.4505937], [0.0259040, 0.7827718, -0.8086758]]) @ lms


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(visit: Visit, scheme: str) -> None:
    page = visit(scheme=scheme)
    checked = page.evaluate(CONTRAST)
    page.locator("#text").fill(TEXT)
    page.locator("#tag").click()
    page.locator(".unit").nth(20).click()
    checked += page.evaluate(CONTRAST)
    page.get_by_role("button", name="更正主题").click()
    checked += page.evaluate(CONTRAST)
    page.keyboard.press("Escape")
    filter_button = page.locator(".legend").get_by_role("button", name="干部队伍建设")
    checked += filter_button.evaluate(f"button => {{ button.click(); return ({CONTRAST})(); }}")  # before anything has faded
    checked += page.evaluate(CONTRAST)
    assert len(checked) > 800
    assert [row for row in checked if row[1] < row[2]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("place", "theme"), [(0, "none"), (1, "ideology"), (2, "overview")])
def test_a_sentence_that_is_pointed_at_open_or_chosen_is_tinted_and_stands_out(visit: Visit, scheme: str, place: int, theme: str) -> None:
    page = visit(scheme=scheme, tagged="首页 | 要闻速递 | 组工动态 | 干部在线\n举办培训班12期。\n现将有关情况报告如下。")
    unit = page.locator(f"#unit-{place}")
    words = unit.locator(".words")
    assert unit.get_attribute("data-theme") == theme
    bare = words.evaluate(PAINT)

    def measure(state: str) -> None:
        assert words.evaluate(PAINT) != bare, state
        assert [row for row in page.evaluate(CONTRAST) if row[1] < row[2]] == [], state

    words.hover()
    measure("pointed at")
    words.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.mouse.move(5, 5)
    measure("open")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    measure("chosen")
    page.locator(".legend").get_by_role("button", name="老干部工作").hover()  # no sentence of it: its tile is empty
    measure("chosen, an unused theme is pointed at")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chosen_theme_and_leaf_stands_out(visit: Visit, scheme: str) -> None:
    page = visit(scheme=scheme, tagged=TEXT)
    checked = []
    for theme in page.locator(".legend .theme").all():
        theme.hover()
        checked += page.evaluate(CONTRAST)
        theme.click()
        checked += page.evaluate(CONTRAST)
        leaf = theme.locator("..").locator(".leaf:visible").first
        if leaf.count():
            leaf.click()
    assert page.locator('.legend .leaf[aria-pressed="true"]').count() >= 8
    checked += page.evaluate(CONTRAST)
    assert [row for row in checked if row[1] < row[2]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_colours_stay_apart_for_colour_blind_readers_and_from_the_paper(visit: Visit, scheme: str) -> None:
    page = visit(scheme=scheme)
    hues = dict(zip(THEMES, page.evaluate(HUES, THEMES), strict=True))
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    for theme, hue in hues.items():
        bright, dark = sorted((float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (hue, paper)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3, theme
    distances = {
        (kind, one, other): float(np.linalg.norm(oklab(matrix @ linear(hues[one])) - oklab(matrix @ linear(hues[other]))))
        for kind, matrix in VISION.items()
        for one, other in combinations(THEMES, 2)
    }
    close = {pair: round(distance, 3) for pair, distance in distances.items() if distance < 0.05}
    assert close == {}  # 0.02 is about the least difference that is seen side by side


def test_controls_have_roles_and_names(visit: Visit) -> None:
    page = visit()
    assert_named(page)
    page.locator("#text").fill(TEXT)
    page.locator("#tag").click()
    page.locator(".unit").nth(20).click()
    assert_named(page)
    page.get_by_role("button", name="更正主题").click()
    assert_named(page)
    assert page.get_by_role("banner").count() == page.get_by_role("main").count() == 1
    headings = page.locator("#report h2").all_inner_texts()
    assert any("过去一年做了哪些事" in heading for heading in headings)


def assert_named(page: Page) -> None:
    lines = page.locator("body").aria_snapshot().splitlines()
    roles = "button|textbox|slider|checkbox|combobox|dialog|article|navigation|progressbar|group|link"
    assert [line for line in lines if re.fullmatch(rf"\s*- ({roles})( \[.*\])?:?", line)] == []
    repeated = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, at, all) => all.indexOf(id) !== at)")
    assert repeated == []
    assert page.locator("h1:visible").count() == 1


def test_a_sentence_tells_a_screen_reader_its_themes(visit: Visit) -> None:
    page = visit(tagged=TEXT)
    name = page.locator("#unit-20").aria_snapshot()
    assert re.search(r'- button ".+ 主题：.+ \d+%', name)


def test_from_the_address_bar_to_the_evidence_without_a_mouse(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("报告全文")).to_be_focused()
    page.keyboard.insert_text("举办培训班12期。\n发展党员205名。")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#result-title")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('unit')"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator(".evidence li")).to_have_count(2)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="更正主题")).to_be_focused()
    ring = page.evaluate(
        "() => getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    )
    assert ring == "solid2px"


def test_on_a_phone(visit: Visit) -> None:
    page = visit(size=PHONE, touch=True, tagged=TEXT)
    assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    expect(page.locator("#panel-body")).to_be_hidden()
    page.locator("#panel summary").tap()
    page.locator(".legend").get_by_role("button", name="干部队伍建设").tap()
    expect(page.locator("#matches")).to_be_visible()
    page.locator("#panel summary").tap()
    page.locator("#unit-20").scroll_into_view_if_needed()
    page.locator("#unit-20").tap()
    sheet = page.get_by_role("dialog").bounding_box()
    assert sheet
    assert (sheet["x"], sheet["width"]) == (0, PHONE["width"])
    assert sheet["y"] + sheet["height"] == PHONE["height"]
    last = page.locator("#unit-20 .words").evaluate("words => [...words.getClientRects()].at(-1).bottom")
    assert last < sheet["y"]  # the sentence is not under the sheet
    small = page.evaluate(
        "() => [...document.querySelectorAll('button, select, summary, .file')].filter(e => e.checkVisibility() && !e.closest('#bar'))"
        ".map(e => [e.textContent, e.getBoundingClientRect().height]).filter(([, height]) => height < 24)"
    )
    assert small == []
    page.get_by_role("button", name="关闭", exact=True).tap()
    box = page.locator("#track").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] - 5, box["y"] + 10)
    expect(page.locator(".unit").last).to_be_in_viewport()


def test_dark_mode_by_system_and_by_choice(visit: Visit) -> None:
    page = visit(scheme="dark")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="外观：跟随系统").click()
    expect(page.get_by_role("button", name="外观：浅色")).to_be_visible()
    light = page.evaluate(paper)
    page.get_by_role("button", name="外观：浅色").click()
    assert page.evaluate(paper) == dark != light


def test_on_paper(visit: Visit) -> None:
    page = visit(scheme="dark", tagged=TEXT)
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".top", "#map", ".exports", ".threshold"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("#report")).to_be_visible()
    expect(page.locator(".legend")).to_be_visible()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(print_background=True).startswith(b"%PDF")


def test_english(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("A report, read theme by theme")
    han = re.compile(r"[\u4e00-\u9fff]")
    assert not han.search(page.locator("main").inner_text() + (page.locator("#text").get_attribute("placeholder") or ""))
    page.locator("#text").fill(TEXT)
    page.get_by_role("button", name="Tag").click()
    page.locator(".legend").get_by_role("button", name="Cadre work").click()
    assert not han.search(
        page.locator("#panel").inner_text() + page.locator("#figures").inner_text() + page.locator("#matches").inner_text()
    )
    expect(page.locator("#report")).to_have_attribute("lang", "zh")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#matches")).to_contain_text("符合条件")
