"""Tables for people: a tagged report with its summary, and the taxonomy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuti.result import TaggedUnit
from zhuti.taxonomy import Taxonomy

_COLOURS = ("red", "dark_orange", "blue", "magenta", "green", "cyan", "gold3", "purple", "turquoise4", "grey50", "grey35")
_PIPE_WIDTH = 120
_BAR = 24


def _console(out: TextIO) -> Console:
    return Console(file=out, width=None if out.isatty() else _PIPE_WIDTH, highlight=False)


def print_report(name: str, units: Sequence[TaggedUnit], taxonomy: Taxonomy, out: TextIO) -> None:
    """Print each sentence with its themes by Chinese name and score, then the report's theme profile.

    :param name: shown as title.
    :param units: tagged units of one report.
    """
    colours = dict(zip(taxonomy.theme_codes, cycle(_COLOURS), strict=False))
    table = Table(title=Text(name), title_justify="left", box=box.SIMPLE_HEAD, show_lines=False, expand=True)
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("句子 sentence", ratio=3, overflow="fold")
    table.add_column("主题 themes", ratio=1, min_width=26, overflow="fold")
    for unit in units:
        themes = Text()
        for place, theme in enumerate(unit.themes):
            style = colours[theme.parent] + (" bold" if place == 0 else "")
            themes.append(f"{taxonomy.leaf(theme.code).zh} ", style)
            themes.append(f"{theme.score:.2f}", "dim")
            themes.append("\n" if place + 1 < len(unit.themes) else "")
        if unit.uncertain:
            themes.append(" ?", "bold yellow")
        text = Text(unit.text, "bold" if unit.role == "heading" else "dim" if unit.role == "boilerplate" else "")
        for evidence in unit.evidence:
            names = "、".join(taxonomy.leaf(code).zh for code in evidence.labels)
            text.append(f"\n  ≈ {evidence.similarity:.2f} [{names}] {evidence.text}", "dim")
        table.add_row(str(unit.index), text, themes)
    console = _console(out)
    console.print(table)
    console.print(_summary(units, taxonomy, colours))


def _summary(units: Sequence[TaggedUnit], taxonomy: Taxonomy, colours: dict[str, str]) -> Table:
    table = Table(
        title="本篇主题 themes of this report", title_justify="left", box=box.SIMPLE_HEAD,
        caption=f"{len(units)} 句 units; {sum(unit.uncertain for unit in units)} 句存疑 uncertain (?)", caption_justify="left",
    )  # fmt: skip
    table.add_column("主题 theme")
    table.add_column("句数", justify="right")
    table.add_column("占比", justify="right")
    table.add_column("")
    table.add_column("细类 leaves")
    primaries = Counter(unit.primary for unit in units)
    by_theme = [(sum(primaries[leaf.code] for leaf in theme.leaves), theme) for theme in taxonomy.themes]
    for count, theme in sorted(by_theme, key=lambda entry: -entry[0]):
        if not count:
            continue
        share = count / len(units)
        leaves = sorted((leaf for leaf in theme.leaves if primaries[leaf.code]), key=lambda leaf: -primaries[leaf.code])
        detail = "" if len(theme.leaves) == 1 else "、".join(f"{leaf.zh} {primaries[leaf.code]}" for leaf in leaves)
        table.add_row(theme.zh, str(count), f"{share:.0%}", Text("█" * max(1, round(share * _BAR)), colours[theme.code]), detail)
    return table


def print_taxonomy(taxonomy: Taxonomy, out: TextIO) -> None:
    """Print every leaf with what it takes in and what belongs elsewhere."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=True, expand=True)
    for heading, ratio in (("代码 code", 2), ("名称 name", 2), ("包括 include", 4), ("不包括 exclude", 3)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for theme in taxonomy.themes:
        table.add_row(Text(theme.code, "bold"), Text(f"{theme.zh} {theme.en}", "bold"), "", "")
        for leaf in theme.leaves:
            table.add_row(f"  {leaf.code}", leaf.zh, leaf.include, leaf.exclude)
    _console(out).print(table)
