"""Shares, leaves, differences from the mean, lines."""

from __future__ import annotations

import pytest

from serving.report.figures import Report, leaf_rows, order_themes, runs, stresses
from serving.report.lines import lines, title
from tests.serving.report.units import by_hand
from zhuti.tagger import Tagger

HALF = by_hand(
    "half.txt", "首页 | 要闻\n一、干部\n提拔八人。引才三人。招工。\n",
    ["none.boilerplate", "cadres.selection", "cadres.selection cadres.young", "talent.attraction talent.service", "talent.service"],
)  # fmt: skip
WHOLE = by_hand("whole.txt", "提拔两人。提拔三人。", ["cadres.selection", "cadres.young"])


def test_shares_are_of_sentences_with_a_theme_and_add_up_to_one(report: Report, reports: list[Report], tagger: Tagger) -> None:
    assert (HALF.sentences, HALF.boilerplate) == (4, 1)
    assert (HALF.share("cadres"), HALF.share("talent"), HALF.share("talent.service"), HALF.share("veterans")) == (0.5, 0.5, 0.25, 0)
    for one in [report, *reports]:
        assert sum(one.share(code) for code in tagger.taxonomy.theme_codes if code != "none") == pytest.approx(1)
        assert sum(one.share(leaf.code) for leaf in tagger.taxonomy.leaves if leaf.parent != "none") == pytest.approx(1)
        assert one.sentences + one.boilerplate == len(one.units)


def test_a_report_without_a_theme_has_no_shares() -> None:
    assert by_hand("web.txt", "首页 | 要闻\n", ["none.boilerplate"]).share("cadres") == 0


def test_leaves_count_primary_and_other_sentences_and_say_where_they_stand(tagger: Tagger) -> None:
    cadres, talent = (next(theme for theme in tagger.taxonomy.themes if theme.code == code) for code in ("cadres", "talent"))
    rows = [(row.leaf.code, row.count, row.second, row.score, row.runs) for row in leaf_rows(HALF, cadres)]
    assert rows == [("cadres.selection", 2, 0, pytest.approx(0.9), [(1, 2)]), ("cadres.young", 0, 1, None, [])]
    assert [(row.leaf.code, row.count, row.second) for row in leaf_rows(HALF, talent)] == [
        ("talent.service", 1, 1),
        ("talent.attraction", 1, 0),
    ]
    assert runs([0, 1, 2, 5, 7, 8]) == [(0, 2), (5, 5), (7, 8)]


def test_a_report_stresses_what_it_has_more_of_than_those_beside_it(tagger: Tagger) -> None:
    both = [HALF, WHOLE]
    found = {one.name: [(theme.code, by) for theme, by in stresses(one, both, tagger.taxonomy, 0.03)] for one in both}
    assert found == {"half.txt": [("talent", 0.25), ("cadres", -0.25)], "whole.txt": [("cadres", 0.25), ("talent", -0.25)]}
    assert stresses(HALF, both, tagger.taxonomy, 0.3) == []
    order = [theme.code for theme in order_themes(both, tagger.taxonomy)]
    assert (order[:2], order[-2:]) == (["cadres", "talent"], ["overview", "none"])


def test_lines_are_those_of_the_text(report: Report) -> None:
    found = lines(report)
    assert [unit for line in found for _, unit in line.pieces] == list(report.units)
    for line in found:
        start, end = line.pieces[0][1].start, line.pieces[-1][1].end
        assert "".join(gap + unit.text for gap, unit in line.pieces) == report.text[start:end]
        assert "\n" not in report.text[start:end]
    small = lines(by_hand("a", "一、题\r\n\r\n甲。 乙！\r丙丁", ["cadres.young"] * 4))
    shape = [(line.heading, line.spaced, [gap for gap, _ in line.pieces]) for line in small]
    assert shape == [(True, False, [""]), (False, True, ["", " "]), (True, False, [""])]
    assert [line.boilerplate for line in lines(HALF)] == [True, False, False]


def test_the_title_is_the_heading_that_opens_the_report(report: Report) -> None:
    assert title(report) == "中共岚山市委组织部2024年工作情况和2025年打算"
    assert title(HALF) == "一、干部"
    assert title(WHOLE) is None
