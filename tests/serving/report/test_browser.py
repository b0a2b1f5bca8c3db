"""The file opened from disk in a real browser, without network and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.report.figures import Report
from serving.report.render import percent, render
from tests.serving.chromium import PHONE, WIDE
from tests.serving.contrast import CONTRAST
from tests.serving.report.units import by_hand
from zhuti.tagger import Tagger

Open = Callable[..., Page]


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a report; at the end of the test: no complaint on the console, no request but for the file."""
    contexts, complaints, requests = [], list[str](), list[str]()
    path = tmp_path / "报告 #1.html"

    def open_page(html: str, *, size: Any = WIDE, scheme: Any = "light", script: bool = True) -> Page:
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport=size, color_scheme=scheme, offline=True, java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert set(requests) == {path.as_uri()}


def in_sight(page: Page, id: str) -> bool:
    box = page.locator(f"#{id}").bounding_box()
    view = page.viewport_size
    assert box
    assert view
    return -box["height"] < box["y"] < view["height"]


def lit(page: Page) -> list[int]:
    """Places of the sentences that are not dimmed, from 0."""
    places: list[int] = page.eval_on_selector_all(
        ".report .unit .words",
        "all => all.flatMap((e, at) => getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)' && getComputedStyle(e).borderBottomColor === 'rgba(0, 0, 0, 0)' ? [] : [at])",  # noqa: E501
    )
    return places


@pytest.mark.parametrize("script", [True, False])
def test_the_strip_map_leads_to_the_sentence(open_file: Open, single: str, report: Report, script: bool) -> None:
    page = open_file(single, script=script)
    target = next(unit for unit in reversed(report.units) if unit.primary.startswith("talent."))
    id = f"d1s{target.index + 1}"
    assert not in_sight(page, id)
    page.locator(f"tr[data-theme=talent] a[href='#{id}'] rect").click()
    assert page.url.endswith(f"#{id}")
    assert in_sight(page, id)
    other = report.units[20]
    page.locator(f".side a[href='#d1s{other.index + 1}'] rect").first.click()
    assert in_sight(page, f"d1s{other.index + 1}")
    page.locator(".leaf-table .where a").last.click()
    assert page.locator(":target").count() == 1


def test_a_filter_dims_the_other_sentences(open_file: Open, single: str, report: Report, tagger: Tagger) -> None:
    page = open_file(single, script=False)
    assert lit(page) == [unit.index for unit in report.units if unit.uncertain or unit.primary != "none.boilerplate"]
    for theme in ("cadres", "talent"):
        name = next(one.zh for one in tagger.taxonomy.themes if one.code == theme)
        carrying = [unit.index for unit in report.units if theme in {label.parent for label in unit.themes}]
        page.locator(".filter").get_by_text(name, exact=True).click()
        assert lit(page) == carrying
        assert page.locator(".filter label:has(:checked) .n").inner_text() == str(len(carrying))
    page.keyboard.press("End")
    expect(page.locator(".filter input:checked")).to_have_count(1)
    page.locator(".filter").get_by_text("存疑", exact=True).click()
    assert page.get_by_role("radio", name="存疑").is_checked()
    assert lit(page) == [unit.index for unit in report.units if unit.uncertain]


def test_figures_are_shown_with_their_bars(open_file: Open, single: str, report: Report, tagger: Tagger) -> None:
    page = open_file(single)
    widest = max(report.share(code) for code in tagger.taxonomy.theme_codes if code != "none")
    for code in tagger.taxonomy.theme_codes:
        row = page.locator(f".profile tr[data-theme={code}]")
        assert row.locator("small").last.inner_text() == f"{report.themes[code]} 句"
        if code != "none":
            assert row.locator("b").inner_text() == percent(report.share(code))
            width = float(row.locator(".bar rect").get_attribute("width") or "nan")
            assert width == pytest.approx(100 * report.share(code) / widest, abs=0.01)
    assert page.locator(".profile .lane rect:not(.other)").count() == len(report.units)


def test_reports_are_compared_side_by_side(open_file: Open, compared: str, reports: list[Report]) -> None:
    page = open_file(compared)
    rows = page.locator(".shares tbody tr")
    assert rows.count() == len(reports)
    for at, one in enumerate(reports):
        assert rows.nth(at).locator("th a").inner_text() == one.name.removesuffix(".txt")
        cells = rows.nth(at).locator("td.share")
        assert cells.count() == 10
        for cell in cells.all():
            share = one.share(cell.get_attribute("data-theme") or "")
            assert cell.inner_text().strip() == (percent(share) if share else "–")
    rows.nth(2).locator("th a").click()
    assert in_sight(page, "d3")
    page.locator("#d3 .back a").click()
    assert in_sight(page, "comparison")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_every_text_stands_out_from_what_is_behind_it(
    open_file: Open, tagger: Tagger, single: str, compared: str, scheme: str, media: Any
) -> None:
    narrow = render([by_hand("narrow.txt", "提拔八人。", ["cadres.selection"])], tagger.taxonomy, "zhuti-small")
    assert narrow.count('class="unused"') == 10
    for html in (single, compared, narrow):
        page = open_file(html, scheme=scheme)
        page.emulate_media(media=media)
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        checked = page.evaluate(CONTRAST)
        if media == "screen":
            page.locator(".filter").first.get_by_text("干部队伍建设").click()
            checked += page.evaluate(CONTRAST)
        assert len(checked) > (300 if html != narrow else 50)
        assert [row for row in checked if row[1] < row[2]] == []
        assert dark is (media == "screen")


def test_print_keeps_the_text_and_drops_what_can_only_be_clicked(open_file: Open, single: str, report: Report) -> None:
    page = open_file(single)
    page.emulate_media(media="print")
    assert page.locator(".report .words:visible").count() == len(report.units)
    assert page.locator(".profile .lane:visible").count() == 11
    assert page.locator(".leaf-table:visible").count() == 1
    assert page.locator(".filter:visible, .side:visible").count() == 0
    assert 3 <= page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 12


@pytest.mark.parametrize("size", [PHONE, {"width": 820, "height": 1180}, WIDE])
def test_nothing_is_wider_than_the_window(open_file: Open, single: str, compared: str, size: Any) -> None:
    for html in (single, compared):
        page = open_file(html, size=size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_headings_controls_and_tables_have_names(open_file: Open, compared: str) -> None:
    page = open_file(compared)
    assert page.locator("h1").count() == 1
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(e => Number(e.tagName[1]))")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.get_by_role("radio", name="人才工作").first.is_enabled()
    assert page.locator("th:not([scope])").count() == 0
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_markup_in_a_report_stays_text(open_file: Open, tagger: Tagger) -> None:
    text = "<script>document.title = 'run'</script>干部 & 人才。\n&lt;b&gt;提拔</p>八人\n"
    nasty = by_hand("<b>.txt", text, ["cadres.young", "talent.service"])
    page = open_file(render([nasty], tagger.taxonomy, "zhuti-small"))
    assert page.locator(".report .words").all_inner_texts() == [unit.text for unit in nasty.units]
    assert page.title() == "<b> · 主题"
