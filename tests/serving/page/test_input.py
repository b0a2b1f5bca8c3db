"""Giving a report to the page: paste, choose, drop; progress, cancel, errors."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving.page.conftest import TEXT, Visit, Watch
from tests.serving.process import served

LINES = "一、选准用好干部\n全年提拔使用干部86人次，严把政治关、廉洁关。\n举办干部培训班12期。\n"


def drop(page: Page, name: str, content: str) -> None:
    transfer = page.evaluate_handle(
        "([name, content]) => { const data = new DataTransfer(); data.items.add(new File([content], name)); return data; }", [name, content]
    )
    page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def test_a_pasted_report_comes_back_as_it_reads(visit: Visit, answer: list[dict[str, Any]], watch: Watch) -> None:
    page = visit()
    page.get_by_label("报告全文").fill(TEXT)
    expect(page.locator("#count")).to_contain_text(f"{len(TEXT):,}")
    page.get_by_role("button", name="标注").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("中共岚山市委组织部2024年工作情况和2025年打算")
    assert page.locator("#report .words").all_inner_texts() == [unit["text"] for unit in answer]
    lines = [line for line in TEXT.splitlines() if line.strip()]
    assert page.locator("#report .line").count() == len(lines)
    assert watch.paths.count("POST /tag") == 1


def test_a_chosen_text_file_and_a_dropped_one(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "年度报告.txt"
    file.write_text(LINES, encoding="utf-8-sig")
    page = visit()
    page.get_by_label("选择文件").set_input_files(file)
    expect(page.get_by_role("heading", level=1)).to_have_text("年度报告.txt")
    assert page.locator("#report .words").all_inner_texts() == LINES.split("\n")[:3]
    page.get_by_role("button", name="新报告").click()
    drop(page, "另一份.md", "# 人才工作\n\n引进硕士64名。")
    expect(page.get_by_role("heading", level=1)).to_have_text("另一份.md")
    expect(page.locator("#report .words")).to_have_text(["人才工作", "引进硕士64名。"])


def test_a_text_beyond_the_basic_plane_keeps_its_places(visit: Visit) -> None:
    page = visit(tagged="举办𠮷祥干部培训班12期。😀引进硕士64名。\n发展党员205名。")
    assert page.locator("#report .words").all_inner_texts() == ["举办𠮷祥干部培训班12期。", "😀引进硕士64名。", "发展党员205名。"]


@pytest.mark.parametrize("kind", ["gb18030", "docx"])
def test_files_that_the_service_reads(visit: Visit, tmp_path: Path, kind: str) -> None:
    file = tmp_path / ("旧编码.txt" if kind == "gb18030" else "报告.docx")
    file.write_bytes(LINES.encode("gb18030") if kind == "gb18030" else word(LINES))
    page = visit()
    page.get_by_label("选择文件").set_input_files(file)
    expect(page.get_by_role("heading", level=1)).to_have_text(file.name)
    assert page.locator("#report .words").all_inner_texts() == LINES.split("\n")[:3]
    page.locator(".unit").last.click()
    expect(page.get_by_role("dialog").locator(".evidence li")).to_have_count(2)


def word(text: str) -> bytes:
    """The least that is a Word file."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    package = "http://schemas.openxmlformats.org/package/2006"
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.splitlines())
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{office}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Target="word/document.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
        "word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>",
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return data.getvalue()


def test_the_example_is_one_click_away(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="看一个例子").click()
    expect(page.get_by_label("报告全文")).not_to_be_empty()
    page.get_by_role("button", name="标注").click()
    expect(page.locator("#report .line").first).to_contain_text("中共云江县委组织部")
    expect(page.get_by_role("heading", level=1)).to_have_text(page.locator("#report h2").first.locator(".words").inner_text())
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV 表格").click()
    assert download.value.suggested_filename == "zhuti.csv"


def test_progress_is_told_and_can_be_cancelled(visit: Visit) -> None:
    page = visit()
    page.route("**/tag", lambda route: None)  # it is at work until it is cancelled
    page.get_by_label("报告全文").fill(LINES)
    page.get_by_role("button", name="标注").click()
    expect(page.locator("#progress-text")).to_have_text(re.compile(rf"^正在标注 {len(LINES)} 字… \d+ 秒$"))
    expect(page.locator("#progress-text")).not_to_contain_text("… 0 秒")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#tag")).to_be_disabled()
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_role("alert")).to_contain_text("已取消。")
    expect(page.locator("#tag")).to_be_enabled()
    expect(page.locator("#result")).to_be_hidden()


def test_cancelling_while_the_answer_comes_in_is_told(visit: Visit) -> None:
    page = visit()
    page.get_by_label("报告全文").fill(TEXT)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": 3000, "uploadThroughput": -1})
    with page.expect_response("**/tag"):
        page.get_by_role("button", name="标注").click()
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_role("alert")).to_contain_text("已取消。")
    expect(page.locator("#result")).to_be_hidden()


def test_what_goes_wrong_is_said(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="标注").click()
    expect(page.get_by_role("alert")).to_contain_text("请先粘贴报告")
    page.get_by_label("报告全文").fill("甲" * 200_001)
    page.get_by_role("button", name="标注").click()
    expect(page.get_by_role("alert")).to_contain_text("没有完成标注")
    expect(page.locator("#error .more")).not_to_be_empty()  # the service's own reason
    page.context.set_offline(True)
    page.get_by_role("button", name="看一个例子").click()
    expect(page.get_by_role("alert")).to_contain_text("连不上服务")
    page.get_by_label("报告全文").fill("甲。")
    page.get_by_role("button", name="标注").click()
    expect(page.get_by_role("alert")).to_contain_text("连不上服务")
    page.context.set_offline(False)
    page.get_by_role("button", name="标注").click()
    expect(page.locator("#report .words")).to_have_text("甲。")
    expect(page.locator("#error")).to_be_hidden()


def test_a_service_with_keys_asks_for_one(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, api_keys="one,two") as guarded:
        page = browser.new_page()
        page.goto(guarded.url, wait_until="networkidle")
        expect(page.get_by_label("访问密钥")).to_be_hidden()
        page.get_by_label("报告全文").fill(LINES)
        page.get_by_role("button", name="标注").click()
        expect(page.get_by_role("alert")).to_contain_text("此服务需要访问密钥")
        expect(page.get_by_label("访问密钥")).to_be_focused()
        page.keyboard.insert_text("two")
        page.keyboard.press("Enter")
        expect(page.locator("#report .words")).to_have_text(LINES.split("\n")[:3])
        page.close()


def test_markup_in_a_report_stays_text(visit: Visit) -> None:
    page = visit(tagged='<img src=x onerror="document.title=1">举办培训班。\n<b>严把廉洁关</b>。')
    assert page.locator("#report .words").all_inner_texts()[0].startswith('<img src=x onerror="document.title=1">')
    assert page.locator("#report img, #report b:not(.chip b)").count() == 0
    assert page.title() == "主题 · 报告逐句标注"
