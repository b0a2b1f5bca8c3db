"""The file itself: every sentence once and as it is, nothing to load, nothing to run."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from serving.report.figures import Report
from serving.report.marks import MARKS
from serving.report.render import MAX_SENTENCES, ReportError, check_size, percent, render
from tests.conftest import ROOT
from tests.serving.report.units import by_hand
from zhuti.tagger import Tagger

NASTY = "<script>alert(1)</script>干部 & 人才 &amp; \"引\" '号'。</span></article>提拔<b>八</b>人；{{ 7 * 7 }}\n"


class Collected(HTMLParser):
    """The words of each sentence by its id, attributes of all elements, text by element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, str] = {}
        self.spoken: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.style = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br"):
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "style":
            self.style += data
        if len(self.open) > 1 and self.open[-1][1].get("class") == "words" and (id := self.open[-2][1].get("id")):
            self.words[id] = self.words.get(id, "") + data
        if len(self.open) > 1 and self.open[-1][1].get("class") == "hidden-text" and (id := self.open[-2][1].get("id")):
            self.spoken[id] = self.spoken.get(id, "") + data


def test_every_sentence_stands_once_in_order_and_as_it_was_given(single: str, report: Report, compared: str, reports: list[Report]) -> None:
    assert list(Collected(single).words.items()) == [(f"d1s{unit.index + 1}", unit.text) for unit in report.units]
    expected = [(f"d{at}s{unit.index + 1}", unit.text) for at, one in enumerate(reports, 1) for unit in one.units]
    assert list(Collected(compared).words.items()) == expected
    for one in reports:
        assert [one.text[unit.start : unit.end] for unit in one.units] == [unit.text for unit in one.units]


def test_themes_and_doubt_are_there_for_who_listens(single: str, report: Report, tagger: Tagger) -> None:
    names = {leaf.code: leaf.zh for theme in tagger.taxonomy.themes for leaf in theme.leaves}
    spoken = Collected(single).spoken
    for unit in report.units:
        labels = "、".join(f"{names[label.code]} {percent(label.score)}" for label in unit.themes)
        assert spoken[f"d1s{unit.index + 1}"] == f" 主题：{labels}{'，存疑' if unit.uncertain else ''}"
    assert any(unit.uncertain for unit in report.units)
    assert not re.search(r"</span>\s+</span>", single)  # it would be seen as a space after each sentence


def test_what_looks_like_markup_is_shown_literally(tagger: Tagger) -> None:
    nasty = by_hand('<img src=x onerror="alert(1)">&.txt', NASTY, ["cadres.young talent.service"] * 3)
    html = render([nasty, nasty], tagger.taxonomy, "<i>model</i>")
    page = Collected(html)
    assert [page.words[f"d1s{n}"] for n in (1, 2, 3)] == [unit.text for unit in nasty.units]
    assert page.open == []
    assert not {"script", "img", "i"} & {tag for tag, attributes in page.elements if attributes}
    assert "<script" not in html
    assert "<i>model" not in html
    assert "{{ 7 * 7 }}" in html
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_nothing_is_loaded_or_run(single: str, compared: str) -> None:
    for html in (single, compared):
        page = Collected(html)
        assert "script" not in {tag for tag, _ in page.elements}
        addresses = [value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href", "srcset")]
        assert all(value and value.startswith(("#", "data:,")) for value in addresses)
        assert not re.search(r"url\(|@import|@font-face", page.style)
        policy = next(attributes["content"] for tag, attributes in page.elements if tag == "meta" and "http-equiv" in attributes)
        digest = b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        assert not [attributes for _, attributes in page.elements if "style" in attributes]
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {value[1:] for value in addresses if value and value[0] == "#"} <= set(ids)


def test_themes_and_scores_are_those_of_the_result(single: str, report: Report, tagger: Tagger) -> None:
    units = {attributes["id"]: attributes for _, attributes in Collected(single).elements if "id" in attributes}
    for unit in report.units:
        attributes = units[f"d1s{unit.index + 1}"]
        names = "；兼".join(f"{tagger.taxonomy.leaf(theme.code).zh} {percent(theme.score)}" for theme in unit.themes)
        assert attributes["data-theme"] == unit.primary.partition(".")[0]
        assert attributes["title"] == f"{unit.index + 1}　{names}{'（存疑）' if unit.uncertain else ''}"
        assert ("uncertain" in str(attributes["class"])) is unit.uncertain


def test_marks_are_those_of_the_page() -> None:
    source = (ROOT / "serving" / "page" / "js" / "taxonomy.js").read_text(encoding="utf-8")
    block = re.search(r"GLYPHS = (\{.*?\});", source, re.DOTALL)
    assert block
    assert json.loads(re.sub(r",\s*\}", "}", re.sub(r"(\w+):", r'"\1":', block[1]))) == MARKS


def test_reports_of_the_same_name_are_told_apart(tagger: Tagger) -> None:
    for names, shown in (
        (["a/x.txt", "b/y.docx"], ["x", "y"]),
        (["a/x.txt", "b/x.docx"], ["a/x.txt", "b/x.docx"]),
        (["2023.3月", "2023.4月"], ["2023.3月", "2023.4月"]),
    ):
        html = render([by_hand(name, "提拔两人。", ["cadres.selection"]) for name in names], tagger.taxonomy, "zhuti-small")
        assert re.findall(r'<th scope="row" class="name"><a href="#d\d">([^<]+)</a>', html) == shown


def test_percentages() -> None:
    assert [percent(share) for share in (0, 0.004, 0.005, 0.126, 1)] == ["0%", "<1%", "1%", "13%", "100%"]


def test_what_cannot_be_shown_is_said(tagger: Tagger) -> None:
    check_size(MAX_SENTENCES)
    with pytest.raises(ReportError, match=r"for reports that people read: it takes 10,000 sentences at most .* jsonl, csv or parquet"):
        check_size(MAX_SENTENCES + 1)
    with pytest.raises(ReportError, match="no sentence to show"):
        render([Report("empty.txt", "\n", [])], tagger.taxonomy, "zhuti-small")
