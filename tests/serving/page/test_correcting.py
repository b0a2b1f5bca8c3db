"""Correcting themes in place, taking results away, sharing a view."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.serving.page.conftest import TEXT, Visit, paste
from training.dataset import EXAMPLES, TAXONOMY, load_examples
from zhuti.taxonomy import Taxonomy

Units = list[dict[str, Any]]
PLACE = 14


def save(page: Page, button: str) -> tuple[str, str]:
    """:return: name and content of the file that a button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8")


def correct(page: Page, place: int, *labels: str) -> None:
    page.locator(f"#unit-{place} .words").click()
    page.get_by_role("button", name="更正主题").click()
    for field, label in zip(("主要主题", "第二主题", "第三主题"), (*labels, "", "")[:3], strict=True):
        page.get_by_label(field).select_option(label)
    page.get_by_role("button", name="保存").click()


def test_a_correction_shows_at_once_and_can_be_taken_back(visit: Visit, answer: Units) -> None:
    page = visit(tagged=TEXT)
    sentence = page.locator(f"#unit-{PLACE}")
    correct(page, PLACE, "veterans.care", "talent.service")
    expect(sentence).to_have_attribute("data-theme", "veterans")
    expect(sentence.locator(".chip")).to_contain_text("人才服务与使用 人工")
    expect(page.locator("#figures")).to_contain_text("已更正 1 句")
    expect(page.locator("#said")).to_have_text("已更正。")
    page.get_by_role("button", name="恢复模型结果").click()
    expect(sentence).to_have_attribute("data-theme", answer[PLACE]["primary"].split(".")[0])
    expect(page.locator("#figures")).not_to_contain_text("已更正")


def test_labels_that_the_taxonomy_forbids_are_refused(visit: Visit) -> None:
    page = visit(tagged="举办培训班12期。")
    correct(page, 0, "veterans.care", "veterans.care")
    expect(page.get_by_role("alert").last).to_have_text("同一主题选了两次。")
    page.get_by_label("第二主题").select_option("overview.general")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").last).to_have_text("“综述”和“非正文”只能单独使用。")
    page.get_by_role("button", name="取消").click()
    expect(page.locator("#unit-0")).not_to_have_class("corrected")


def test_a_correction_by_keyboard_alone(visit: Visit) -> None:
    page = visit(tagged="举办培训班12期。\n发展党员205名。")
    page.locator("#unit-0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    primary = page.get_by_label("主要主题")
    expect(primary).to_be_focused()
    page.keyboard.press("Home")
    for _ in range(primary.locator("option").count()):
        if primary.input_value() == "cadres.young":
            break
        page.keyboard.press("ArrowDown")
    for _ in range(3):  # over the other two themes to the button
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="保存")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#unit-1")).to_have_attribute("data-theme", "cadres")
    page.keyboard.press("Escape")
    expect(page.locator("#unit-1")).to_be_focused()


def test_results_as_jsonl_keep_the_contract(visit: Visit, answer: Units) -> None:
    page = visit(tagged=TEXT)
    correct(page, PLACE, "veterans.care")
    page.keyboard.press("Escape")
    name, content = save(page, "JSONL 结果")
    assert name == "zhuti.jsonl"
    rows = [json.loads(line) for line in content.splitlines()]
    for row, unit in zip(rows, answer, strict=True):
        corrected = unit["index"] == PLACE
        labels = ["veterans.care"] if corrected else [theme["code"] for theme in unit["themes"]]
        own = {field: value for field, value in unit.items() if field != "evidence"}
        assert row == own | {"labels": labels, "corrected": corrected}


def test_the_table_opens_in_a_spreadsheet(visit: Visit, names: dict[str, dict[str, str]]) -> None:
    page = visit(tagged='=HYPERLINK("http://a","举办培训班")12期。\n他说："发展党员，205名"。')
    name, content = save(page, "CSV 表格")
    assert name == "zhuti.csv"
    assert content.startswith("\ufeff")
    first, second = csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
    assert first["text"] == '\'=HYPERLINK("http://a","举办培训班")12期。'  # no formula
    assert second["text"] == '他说："发展党员，205名"。'
    assert second["leaf"] == names[second["primary"]]["zh"]
    assert len(second["scores"].split()) == len(second["labels"].split())


def test_the_annotated_page_stands_alone(visit: Visit, browser: Browser, answer: Units, tmp_path: Path) -> None:
    page = visit(tagged=TEXT)
    name, content = save(page, "标注网页")
    assert name == "zhuti.html"
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    context = browser.new_context(offline=True)
    alone = context.new_page()
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    assert alone.locator(".words").all_inner_texts() == [unit["text"] for unit in answer]
    assert "主题：" in (alone.locator("#unit-10").get_attribute("title") or "")
    assert alone.locator("#unit-14 .words").evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert "干部队伍建设" in alone.locator(".legend").inner_text()
    assert asked == [file.as_uri()]
    assert alone.locator("script, [onclick], button").count() == 0
    context.close()


def test_corrections_are_lines_that_the_labels_take_in(visit: Visit, answer: Units, tmp_path: Path) -> None:
    page = visit()
    expect(page.get_by_role("button", name="更正 JSONL（0）")).to_have_count(0)
    file = tmp_path / "岚山.txt"
    file.write_text(TEXT, encoding="utf-8")
    page.get_by_label("选择文件").set_input_files(file)
    page.locator(".unit").first.wait_for()
    expect(page.get_by_role("button", name="更正 JSONL（0）")).to_be_disabled()
    correct(page, PLACE, "veterans.care", "talent.service")
    page.keyboard.press("Escape")
    name, content = save(page, "更正 JSONL（1）")
    assert name == "岚山.corrections.jsonl"
    assert taken_in(tmp_path, content) == [(f"岚山:{PLACE:03}", answer[PLACE]["text"], ("veterans.care", "talent.service"))]
    page.get_by_role("button", name="新报告").click()
    page.once("dialog", lambda dialog: dialog.accept())
    paste(page, TEXT)
    correct(page, PLACE, "service.development")
    page.keyboard.press("Escape")
    [(id, text, labels)] = taken_in(tmp_path, save(page, "更正 JSONL（1）")[1])
    assert re.fullmatch(rf"pasted-\d{{14}}:{PLACE:03}", id)
    assert (text, labels) == (answer[PLACE]["text"], ("service.development",))


def taken_in(folder: Path, content: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """What training reads from corrections that are put under the lines of labels/examples.jsonl."""
    examples = folder / "examples.jsonl"
    shipped = EXAMPLES.read_text(encoding="utf-8")
    examples.write_text(shipped + content, encoding="utf-8")
    read = load_examples(examples, Taxonomy.load(TAXONOMY))
    return [(example.id, example.text, example.labels) for example in read[shipped.count("\n") :]]


def test_a_link_carries_the_view_and_no_text(visit: Visit) -> None:
    page = visit("#lang=en&min=0.40&show=cadres,talent&at=30", tagged=TEXT)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#min-shown")).to_have_text("40%")
    expect(page.locator('.legend [data-code="cadres"]')).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#unit-30")).to_be_in_viewport()
    page.get_by_label("Uncertain only").check()
    expect(page).to_have_url(re.compile("/#lang=en&min=0.40&show=cadres,talent&uncertain=1&at=30$"))
    assert page.evaluate("() => localStorage.length + sessionStorage.length + document.cookie.length") == 0
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link to this view").click()
    expect(page.locator("#note")).to_contain_text("no text")
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url


def test_a_damaged_link_is_no_harm(visit: Visit) -> None:
    page = visit("#lang=xx&min=nan&show=%3Cscript%3E,../x&at=99999", tagged="举办培训班12期。")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.locator(".unit.away").count() == 0


def test_going_back_and_forth_keeps_the_result(visit: Visit) -> None:
    page = visit(tagged="举办培训班12期。")
    correct(page, 0, "veterans.care")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="新报告").click()
    page.get_by_role("button", name="返回结果").click()
    expect(page.locator("#unit-0")).to_have_attribute("data-theme", "veterans")
    page.get_by_role("button", name="新报告").click()
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="标注").click()
    assert asked == ["现有报告的更正会丢失，要继续吗？"]
