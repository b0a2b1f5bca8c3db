"""The tables and the chart for people, for a taxonomy with more themes than there are colours."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from serving.chart import write_chart
from zhuti.result import TaggedUnit, ThemeScore
from zhuti.table import print_report
from zhuti.taxonomy import Leaf, Taxonomy, Theme

CODES = [f"t{number}" for number in range(13)]
THEMES = tuple(Theme(code, f"主题{code}", code, (Leaf(f"{code}.x", f"叶{code}", code, "", ""),)) for code in CODES)


def test_a_report_with_the_last_of_many_themes() -> None:
    unit = TaggedUnit(0, 0, 2, "甲。", "body", primary="t12.x", uncertain=False, themes=(ThemeScore("t12.x", "t12", 0.9),), evidence=())
    out = io.StringIO()
    print_report("甲.txt", [unit], Taxonomy(1, THEMES, ()), out)
    assert "叶t12 0.90" in out.getvalue()
    assert "主题t12" in out.getvalue()


def test_a_chart_with_many_themes() -> None:
    out = io.StringIO()
    write_chart([("甲", {code: 1 / len(CODES) for code in CODES})], {code: code for code in CODES}, out)
    assert out.getvalue().count("<title>甲: ") == 13


@pytest.mark.parametrize("name", ["甲", "关于2018年度全市组织工作情况的报告", "甲" * 31, "某省某市某县" * 20])
def test_the_name_of_a_bar_is_inside_the_chart(name: str) -> None:
    out = io.StringIO()
    write_chart([(f"{name} (103)", {"t1": 1.0})], {"t1": "主题"}, out)
    root = ElementTree.fromstring(out.getvalue())
    [label] = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("text-anchor") == "end"]
    assert label.text
    assert label.text.endswith(" (103)")
    assert label.text.startswith(name[:20])
    assert float(label.attrib["x"]) - 13 / 2 * cell_len(label.text) >= 0
    bar = max(
        float(rect.attrib["x"]) + float(rect.attrib["width"])
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        if rect.find("{*}title") is not None
    )
    assert bar < float(root.attrib["width"])
    assert f"<title>{name} (103): 主题 100.0%</title>" in out.getvalue()
