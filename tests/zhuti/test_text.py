from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zhuti.text import normalise, single_unit, split


def texts(document: str) -> list[str]:
    return [unit.text for unit in split(document)]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("第一句。第二句!第三句?第四句…", ["第一句。", "第二句!", "第三句?", "第四句…"]),
        ("他说:“要抓实。”会场鼓掌。", ["他说:“要抓实。”", "会场鼓掌。"]),
        ("(详见附件。)另行通知。", ["(详见附件。)", "另行通知。"]),
        ("「這是原則。」也是底線。", ["「這是原則。」", "也是底線。"]),
        ("一是抓班子;二是带队伍；三是打基础﹔四是聚人才。", ["一是抓班子;", "二是带队伍；", "三是打基础﹔", "四是聚人才。"]),
        ("增长12.5%,其中3.8%来自园区。完成率99.9%", ["增长12.5%,其中3.8%来自园区。", "完成率99.9%"]),
        ("真的吗？！真的。……完", ["真的吗？！", "真的。……", "完"]),
        ("第一行\r\n第二行\r第三行\n\n第四行", ["第一行", "第二行", "第三行", "第四行"]),
        ("\u3000\u3000缩进的一句。\u00a0下一句。", ["缩进的一句。", "下一句。"]),
        ("见 http://a.cn/x?id=3;k=4 一文。完。", ["见 http://a.cn/x?id=3;k=4 一文。", "完。"]),
        ("甲&nbsp;乙。", ["甲&nbsp;乙。"]),
        ('他说"要实干。"大家"点头。"', ['他说"要实干。"', '大家"点头。"']),
        ('会议结束。"第一书记"都到了。', ["会议结束。", '"第一书记"都到了。']),
        ("", []),
        (" \n\t\r\n", []),
        ("没有句号", ["没有句号"]),
        ("抓好党建&业务;二是抓好队伍;", ["抓好党建&业务;", "二是抓好队伍;"]),
        ("干部&nbsp;人才&#12288;工作;好;", ["干部&nbsp;人才&#12288;工作;", "好;"]),
        ("。", ["。"]),
    ],
)
def test_split(document: str, expected: list[str]) -> None:
    assert texts(document) == expected


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("一、选准用好干部", "heading"),
        ("政治建设摆在首位", "heading"),
        ("全年共培训干部1200人次。", "body"),
        ("下面讲三点意见:", "body"),
        ("版权所有 京ICP备12024993号-1", "boilerplate"),
        ("2018-10-29 来源:成都日报", "boilerplate"),
        ("(責編:楊媚、權娟)", "boilerplate"),
        ("您的位置:首页 > 党建", "boilerplate"),
        ("* * *", "boilerplate"),
        ("分享到： 微信 微博", "boilerplate"),
        ("【字号：大 中 小】【打印】【关闭】", "boilerplate"),
        ("把经验分享到全市各镇街。", "body"),
        ("老字号企业党建联盟成立。", "body"),
        ("打印排版一律从简。", "body"),
    ],
)
def test_role(line: str, role: str) -> None:
    assert [unit.role for unit in split(line)] == [role]


def test_a_line_of_one_megabyte_without_an_end_is_one_unit() -> None:
    [unit] = split("干" * 1_000_000)
    assert (unit.start, unit.end, unit.role) == (0, 1_000_000, "body")


def test_a_line_of_one_megabyte_of_open_quotes_ends() -> None:
    assert len(split('"好。' * 250_000)) > 1000


@given(st.text(alphabet=st.sampled_from("干部,。；;!?…“”\"'()（） \n\r\u3000a1.「」&x=/\u2028"), max_size=200))
@example("。”\n“。")
def test_every_non_blank_character_lies_in_exactly_one_unit(document: str) -> None:
    covered = [0] * len(document)
    previous_end = 0
    for index, unit in enumerate(split(document)):
        assert unit.index == index
        assert document[unit.start : unit.end] == unit.text == unit.text.strip()
        assert unit.start >= previous_end
        previous_end = unit.end
        for place in range(unit.start, unit.end):
            covered[place] += 1
    assert all(count == 1 or (count == 0 and char.isspace()) for count, char in zip(covered, document, strict=True))


def test_single_unit_keeps_offsets_of_the_text_as_given() -> None:
    unit = single_unit("  两句。不分开。\n")
    assert (unit.start, unit.end, unit.text) == (2, 9, "两句。不分开。")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("加強幹部隊伍建設", "加强干部队伍建设"),
        ("培训干部119.6万人次", "培训干部3,200万人次"),
        ("２０２３年举办ＡＢＣ培训", "2021年举办ABC培训"),
        ("一是突出思想建设", "突出思想建设"),
        ("(三)突出思想建设", "突出思想建设"),
        ("第二,突出思想建设", "突出思想建设"),
        ("突出 思想 建设", "突出思想建设"),
    ],
)
def test_normalise_makes_alike_what_does_not_bear_on_the_theme(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_normalise_keeps_words_that_only_look_like_enumerators() -> None:
    assert normalise("一把手要带头") == "一把手要带头"
    assert normalise("三会一课") == "三会一课"
