"""The tables and the chart for people, for a taxonomy with more themes than there are colours."""

from __future__ import annotations

import io

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
