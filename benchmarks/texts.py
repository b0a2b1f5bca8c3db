"""Sentences that differ for the tagger, so that none is answered from its cache of sentences seen before.

Each is a sentence of the corpus, or one short sentence, behind the name of a county made up of two characters
(``海川县``). Numbers would not do: the tagger reads all of them alike.
"""

from __future__ import annotations

import itertools
import random

from training.corpus import SENTENCES
from zhuti.annotations import read_json_lines

SHORT = "全年调整干部86人次。"
_CHARACTERS = "安宝昌长川大德东丰福高广贵海汉河恒红华怀惠吉嘉建江金锦晋靖开乐兰丽良林灵龙隆梅明南宁平清仁荣瑞山石顺泰天通万文武西新兴阳益永"


class Texts:
    """Gives texts out, none of them twice. The order is always the same."""

    def __init__(self) -> None:
        self._counties = [f"{first}{second}县" for first, second in itertools.permutations(_CHARACTERS, 2)]
        self._short = iter(self._counties)
        corpus = sorted({str(row["text"]) for _, row in read_json_lines(SENTENCES) if row["role"] == "body"})
        random.Random(0).shuffle(corpus)
        # Both lists are gone through in step; a pair comes again only after their least common multiple.
        self._pairs = zip(itertools.cycle(self._counties), itertools.cycle(corpus), strict=True)

    def short(self) -> str:
        """:return: one short sentence, 14 characters; there are 3,782."""
        return next(self._short) + SHORT

    def sentences(self, count: int) -> list[str]:
        """:return: sentences as long as those of the corpus, and three characters longer."""
        return [county + text for county, text in itertools.islice(self._pairs, count)]

    def report(self, characters: int) -> str:
        """:return: a report of exactly so many characters, one sentence a line."""
        text = ""
        while len(text) < characters:
            text += self.sentences(1)[0] + "\n"
        return text[:characters]
