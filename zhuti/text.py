"""Split a report into units with offsets, and normalise a unit for the model.

A unit is a sentence, a heading or a web-page line. It ends at 。！？!?… or at ；;﹔ with the closing
quotes and brackets that follow, or at the end of its line. Offsets are those of the text as given;
:func:`normalise` is only ever applied to what the model reads, never to what the user gets back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

Role = Literal["heading", "body", "boilerplate"]

_LINE = re.compile(r"[^\r\n\v\f\x85\u2028\u2029]+")
_END = re.compile(r"[。｡！？!?…；;﹔]+")
_CLOSERS = "”’」』》〉）)]】〕﹂﹄"
_STRAIGHT_QUOTES = "\"'"
_ASCII_END = set("!?;")
_HEADING_MAX_CHARS = 50


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a document: ``text == document[start:end]``.

    :param index: position in the document, from 0.
    :param start: offset of the first character, in code points of the document as given.
    :param end: offset after the last character.
    :param text: the unit as it stands in the document, without white space around it.
    :param role: ``heading``, ``body`` or ``boilerplate``, guessed from the form of the line alone.
    """

    index: int
    start: int
    end: int
    text: str
    role: Role


def split(document: str) -> list[Unit]:
    """Split a document into units; every non-blank character lies in exactly one of them.

    :param document: any text; Simplified or Traditional, any line ends.
    :return: units in document order; an empty list for a blank document.
    """
    return list(iterate_units(document))


def iterate_units(document: str) -> Iterator[Unit]:
    """As :func:`split`, one unit after the other, for documents that are long."""
    index = 0
    for line in _LINE.finditer(document):
        spans = list(_sentences(document, line.start(), line.end()))
        role = _line_role(document[line.start() : line.end()], len(spans))
        for start, end in spans:
            yield Unit(index, start, end, document[start:end], role)
            index += 1


def single_unit(sentence: str) -> Unit:
    """Treat a whole text as one unit, however many sentence ends it holds.

    :param sentence: text of one table row or list item.
    :return: the unit; its offsets leave out white space around the text.
    """
    text = sentence.strip()
    start = len(sentence) - len(sentence.lstrip())
    return Unit(0, start, start + len(text), text, _line_role(text, 1))


def _sentences(document: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of one line, white space around them left out."""
    begin = start
    for match in _END.finditer(document, start, end):
        if match.end() <= begin or _inside_token(document, match, start, end):
            continue
        stop = _after_closers(document, begin, match.end(), end)
        yield from _trimmed(document, begin, stop)
        begin = stop
    yield from _trimmed(document, begin, end)


def _trimmed(document: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and document[start].isspace():
        start += 1
    while end > start and document[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _inside_token(document: str, match: re.Match[str], start: int, end: int) -> bool:
    """True for an ASCII mark inside an address or an entity (``?a=1``, ``&nbsp;``)."""
    if not set(match.group()) <= _ASCII_END:
        return False
    before = document[match.start() - 1] if match.start() > start else ""
    after = document[match.end()] if match.end() < end else ""
    if _ascii_word(before) and (_ascii_word(after) or after == "="):
        return True
    return match.group() == ";" and bool(re.search(r"&(?:#x?)?[A-Za-z0-9]{1,8}$", document[max(start, match.start() - 10) : match.start()]))


def _ascii_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _after_closers(document: str, begin: int, stop: int, end: int) -> int:
    """Take in closing quotes and brackets; a straight quote closes only if one stands open."""
    while stop < end:
        char = document[stop]
        straight = char in _STRAIGHT_QUOTES and document.count(char, begin, stop) % 2 == 1
        if char not in _CLOSERS and not straight:
            break
        stop += 1
    return stop


# --- role: from the form of a line ------------------------------------------------------------

_WEB_LINE = re.compile(
    r"""copyright|©|版权所有|版權所有|all\ rights\ reserved|icp备|icp備|公网安备|公網安備
      |https?://|www\.|\S@\S+\.\w{2,}
      |您的位置|您現在的位置|当前位置|當前位置|首页\s*>|>>|网站地图|網站地圖|收藏本站|设为首页|今天是\s*$
      |分享到\s*[:：]|打印(?:本页|本頁|$|\s|[】|])|(?<!老)(?:字号|字號)|点击数|浏览次数|瀏覽次數|阅读次数|猜你喜欢|推荐访问|相关专题|相關專題|相关阅读|相关链接|相關鏈接
      |最新评论|最新評論|热门评论|熱門評論|查看全部|焦点新闻|焦點新聞|请勿转载|請勿轉載|转载请注明|轉載請注明
      |投稿邮箱|投稿郵箱|新闻热线|新聞熱線|扫一扫|上一篇|下一篇|返回顶部|关闭窗口|^主办(?:单位)?[:：]|^承办(?:单位)?[:：]
      |^[(（]?(责编|責編|责任编辑|責任編輯|编辑|編輯|来源|來源|作者|记者|記者|发布时间|時間|时间)\s*[:：/]
      |^[(（]作者(?:系|单位)|^[(（]\d{4}年\d{1,2}期[)）]$
      |^\s*本报记者|^\s*本報記者|^■\s*文|^\s*记者/|^\s*記者/
      |^\s*\d{4}\s*[-年/.]\s*\d{1,2}\s*[-月/.]\s*\d{1,2}.{0,40}(来源|來源)|^\s*\d{4}-\d{1,2}-\d{1,2}\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_WEB_LINE_MAX_CHARS = 120
_SENTENCE_TAIL = "。｡！？!?…；;﹔，,、：:"
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def _line_role(line: str, sentences: int) -> Role:
    text = line.strip()
    if len(_HAN.findall(text)) < 2:
        return "boilerplate"
    if len(text) <= _WEB_LINE_MAX_CHARS and _WEB_LINE.search(text):
        return "boilerplate"
    if sentences == 1 and len(text) <= _HEADING_MAX_CHARS and text[-1] not in _SENTENCE_TAIL:
        return "heading"
    return "body"


# --- normalisation: what the model reads ------------------------------------------------------

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ENUMERATOR = re.compile(
    r"""^(?:[(（]?(?:第[一二三四五六七八九十\d]{1,3}|[一二三四五六七八九十]{1,3}|\d{1,2})[)）]?[、.．,，:：]
      |[(（](?:[一二三四五六七八九十]{1,3}|\d{1,2})[)）]
      |[一二三四五六七八九十]{1,2}(?:是|要(?![素务件闻求点领旨]))
      |[·•●■◆▪*—-]+)\s*""",
    re.VERBOSE,
)
_CIRCLED = re.compile(r"^\s*[①-⑳]\s*")  # NFKC would make them bare digits
_INNER_SPACE = re.compile(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])")


@cache
def _to_simplified():  # type: ignore[no-untyped-def]
    from opencc import OpenCC

    return OpenCC("t2s").convert


def normalise(text: str) -> str:
    """What the model reads in place of ``text``: one form for what does not bear on the theme.

    Full and half width (NFKC), script (Traditional to Simplified), white space, numbers and years
    (each becomes ``1``) and a leading enumerator (一是, (二), 第三,) are made alike.

    :param text: a unit's text.
    :return: the normalised text; may be empty where nothing but an enumerator was given.
    """
    text = unicodedata.normalize("NFKC", _CIRCLED.sub("", text))
    text = _to_simplified()(text)
    text = _INNER_SPACE.sub("", text.strip())
    text = _ENUMERATOR.sub("", text)
    return _NUMBER.sub("1", text)
