"""Reading a tagged report: tint, chips, bar, map, filter, threshold, uncertainty, evidence."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from playwright.sync_api import Page, expect

from tests.serving.page.conftest import TEXT, Visit, Watch
from tests.serving.process import Served

WAIT = 1000  # milliseconds of the page's clock, more than any pause it makes
Units = list[dict[str, Any]]
Names = dict[str, dict[str, Any]]


def percent(score: float) -> str:
    return f"{int(score * 100 + 0.5)}%"


def expect_state(page: Page, hash: str = "") -> None:
    """What the address says, once it is written."""
    expect(page).to_have_url(re.compile(f"^[^#]*/{re.escape(f'#{hash}' if hash else '')}$"))


def shown(page: Page) -> list[int]:
    """Places of the sentences that are not dimmed."""
    places: list[int] = page.eval_on_selector_all(".unit:not(.away)", "units => units.map(unit => Number(unit.id.slice(5)))")
    return places


def carries(unit: dict[str, Any], code: str, least: float = 0) -> bool:
    return any(code in (theme["code"], theme["parent"]) for theme in unit["themes"] if theme["score"] >= least)


def test_tint_chips_and_marks_are_those_of_the_answer(visit: Visit, answer: Units, names: Names) -> None:
    page = visit(tagged=TEXT)
    for unit in answer:
        element = page.locator(f"#unit-{unit['index']}")
        assert element.get_attribute("data-theme") == unit["primary"].split(".")[0]
        others = [f"{names[theme['code']]['zh']} {percent(theme['score'])}" for theme in unit["themes"][1:]]
        assert element.locator(".chip").all_inner_texts() == others
        assert element.locator(".flag").count() == unit["uncertain"]
    colours = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.unit[data-theme]')].map(u => [u.dataset.theme,"
        " getComputedStyle(u.querySelector('.words')).backgroundColor + getComputedStyle(u.querySelector('.words')).borderBottomColor]))"
    )
    assert len(set(colours.values())) == len(colours) >= 8


def test_bar_and_figures_count_primary_themes(visit: Visit, answer: Units, names: Names) -> None:
    page = visit(tagged=TEXT)
    uncertain = sum(unit["uncertain"] for unit in answer)
    expect(page.locator("#figures")).to_have_text(f"{len(answer)} 句 · {uncertain} 句不确定")
    counts = Counter(unit["primary"].split(".")[0] for unit in answer)
    for theme, count in counts.items():
        part = page.locator(f"#bar [data-theme={theme}]")
        expect(part).to_have_attribute("aria-label", f"{names[theme]['zh']}：{count} 句以此为主，{round(100 * count / len(answer))}%")
    theme, _ = counts.most_common(1)[0]
    page.locator(f"#bar [data-theme={theme}]").click()
    assert shown(page) == [unit["index"] for unit in answer if carries(unit, theme)]


def test_the_map_shows_where_themes_stand_and_leads_there(visit: Visit, answer: Units) -> None:
    page = visit(tagged=TEXT)
    assert page.locator("#map rect").count() == sum(len(unit["themes"]) for unit in answer)
    target = answer[70]
    box = page.locator("#track").bounding_box()
    assert box
    middle = (target["start"] + target["end"]) / 2 / answer[-1]["end"]
    page.mouse.click(box["x"] + 20, box["y"] + box["height"] * middle)
    sentence = page.locator(f"#unit-{target['index']}")
    expect(sentence).to_be_focused()
    expect(sentence).to_be_in_viewport()
    expect_state(page, f"at={target['index']}")
    expect(page.locator("#track")).to_have_attribute("aria-valuenow", str(target["index"] + 1))
    page.locator("#track").focus()
    page.keyboard.press("Home")
    expect(page.locator("#unit-0")).to_be_in_viewport()
    expect(page.locator("#track")).to_be_focused()


def test_filter_by_theme_then_leaf_and_step_through_the_matches(visit: Visit, answer: Units, names: Names) -> None:
    page = visit(tagged=TEXT)
    page.locator(".legend").get_by_role("button", name="基层党组织建设").click()
    found = [unit["index"] for unit in answer if carries(unit, "grassroots")]
    assert shown(page) == found
    expect(page.locator("#matches")).to_contain_text(f"符合条件 {len(found)} 句")
    expect_state(page, "show=grassroots")
    leaf = Counter(t["code"] for unit in answer for t in unit["themes"] if t["parent"] == "grassroots").most_common(1)[0][0]
    page.get_by_role("group", name="基层党组织建设：细分").get_by_role("button", name=names[leaf]["zh"]).click()
    found = [unit["index"] for unit in answer if carries(unit, leaf)]
    assert shown(page) == found
    expect_state(page, f"show={leaf}")
    page.get_by_role("button", name="下一处").click()
    expect(page.locator(f"#unit-{found[0]}")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(f"#unit-{found[1 % len(found)]}")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(page.locator(f"#unit-{found[-1]}")).to_be_focused()
    page.get_by_role("button", name="清除筛选").click()
    assert len(shown(page)) == len(answer)


def test_the_threshold_works_without_a_request(visit: Visit, answer: Units, watch: Watch, server: Served) -> None:
    page = visit(tagged=TEXT)
    expect(page.locator("#min-shown")).to_have_text("模型自定")
    before = list(watch.paths)
    slider = page.get_by_role("slider", name="最低把握")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#min-shown")).to_have_text("60%")
    for unit in answer:
        left = [theme for theme in unit["themes"][1:] if theme["score"] >= 0.6]
        element = page.locator(f"#unit-{unit['index']}")
        assert element.get_attribute("data-theme") == unit["themes"][0]["parent"]
        assert element.locator(".chip").count() == len(left)
    expect_state(page, "min=0.60")
    page.keyboard.press("Home")
    expect(page.locator("#min-shown")).to_have_text("5%")
    wide = server.post(json={"text": TEXT, "min_score": 0.05}).json()["units"]
    assert sum(len(unit["themes"]) for unit in wide) > sum(len(unit["themes"]) for unit in answer)
    for unit in wide:
        assert page.locator(f"#unit-{unit['index']} .chip").count() == len(unit["themes"]) - 1
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#min-shown")).to_have_text("模型自定")
    assert page.locator("#report .chip").count() == sum(len(unit["themes"]) - 1 for unit in answer)
    expect_state(page)
    assert [path for path in watch.paths[len(before) :] if path != "GET /icon.svg"] == []  # Chromium looks at the icon again by itself


def test_uncertain_sentences_are_marked_and_can_be_picked_out(visit: Visit, answer: Units) -> None:
    page = visit(tagged=TEXT)
    uncertain = [unit["index"] for unit in answer if unit["uncertain"]]
    assert uncertain
    assert "不确定" in page.locator(f"#unit-{uncertain[0]} .hidden-text").inner_text()
    page.get_by_label(f"只看不确定的（{len(uncertain)}）").check()
    assert shown(page) == uncertain
    expect_state(page, "uncertain=1")


def test_hover_shows_definition_and_evidence(visit: Visit, answer: Units, names: Names) -> None:
    page = visit(tagged=TEXT)
    unit = next(unit for unit in answer[20:] if unit["role"] == "body" and len(unit["themes"]) > 1)
    words = page.locator(f"#unit-{unit['index']} .words")
    words.scroll_into_view_if_needed()
    page.clock.install()
    page.mouse.move(5, 5)
    words.hover()
    page.clock.run_for(WAIT)
    card = page.get_by_role("dialog", name="句子详情")
    expect(card).to_be_visible()
    for line, theme in zip(card.locator(".labels li").all(), unit["themes"], strict=True):
        expect(line).to_contain_text(names[theme["code"]]["zh"] + percent(theme["score"]))
        expect(line).to_contain_text(names[theme["code"]]["include"])
        assert not re.search(r"[a-z]+\.[a-z]+", line.inner_text())  # the definition names other leaves, too
    for item, given in zip(card.locator(".evidence li").all(), unit["evidence"], strict=True):
        expect(item).to_contain_text(given["text"])
        expect(item).to_contain_text(f"相似度 {given['similarity']:.2f}")
    card.hover()  # the pointer may go into the card
    page.clock.run_for(WAIT)
    expect(card).to_be_visible()
    page.mouse.move(5, 5)
    page.clock.run_for(WAIT)
    expect(card).to_be_hidden()
    words.hover()
    page.clock.run_for(WAIT)
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_focus_shows_the_card_too(visit: Visit, answer: Units, names: Names) -> None:
    page = visit(tagged=TEXT)
    page.locator("#track").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#unit-0")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#unit-1")).to_be_focused()
    card = page.get_by_role("dialog", name="句子详情")
    expect(card).to_contain_text(names[answer[1]["primary"]]["zh"])
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="关闭")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#unit-1")).to_be_focused()
    expect(card).to_be_hidden()
