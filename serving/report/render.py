"""Render tagged reports as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

    zhuti tag reports/*.txt --format html -o reports.html

Palette and type are those of the service's page, taken in from its style sheets.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from serving.labels import short_labels
from serving.report.figures import Report, leaf_rows, mean_share, order_themes, stresses
from serving.report.lines import lines, title
from serving.report.marks import mark
from zhuti.errors import ZhutiError
from zhuti.taxonomy import Taxonomy

MAX_SENTENCES = 10_000  # thirty to a hundred reports; more make a file that browsers are slow to open
_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "page"
_SHEETS = [_PAGE / "css" / f"{name}.css" for name in ("palette", "page", "report", "print")]
_OWN_SHEETS = [_HERE / "css" / f"{name}.css" for name in ("frame", "figures", "reading", "print")]
_LEAST_STRESS = 0.03
_NARROWEST = 1 / 300  # of a map's length: what a short sentence takes at least


class ReportError(ZhutiError):
    """The reports cannot be shown as a page; the message says why and what to do instead."""


def render(reports: Sequence[Report], taxonomy: Taxonomy, model: str) -> str:
    """Render reports.

    :param reports: one or more; with several, a comparison stands first.
    :param model: name of the model that tagged them.
    :return: the HTML file.
    :raises ReportError: for no report, or more sentences than a page can hold.
    """
    reports = [report for report in reports if report.units]
    if not reports:
        raise ReportError("there is no sentence to show in an HTML report")
    total = sum(len(report.units) for report in reports)
    check_size(total)
    themes = order_themes(reports, taxonomy)
    css = _styles(len(taxonomy.themes))
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    environment.globals.update(
        lines=lines, leaf_rows=leaf_rows, mark=mark, mean_share=mean_share, title=title, box=_box,
        lane=taxonomy.theme_codes.index, leaf=taxonomy.leaf, theme_of={theme.code: theme for theme in taxonomy.themes},
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        reports=reports,
        labels=short_labels([report.name for report in reports]),
        themes=themes,
        widest=max(report.share(theme.code) for report in reports for theme in themes if theme.code != "none") or 1,
        stresses=[stresses(report, reports, taxonomy, _LEAST_STRESS) for report in reports],
        model=model,
        total=total,
        icon=Markup((_PAGE / "icon.svg").read_text(encoding="utf-8")),
        css=Markup(css),
        css_hash=b64encode(hashlib.sha256(css.encode()).digest()).decode(),
    )


def check_size(sentences: int) -> None:
    """:raises ReportError: if there are more sentences than a page can hold."""
    if sentences > MAX_SENTENCES:
        raise ReportError(
            f"--format html is for reports that people read: it takes {MAX_SENTENCES:,} sentences at most and there are more; "
            "use jsonl, csv or parquet, or `zhuti profile` to compare many reports"
        )


def percent(share: float) -> str:
    """:return: a whole percentage, halves rounded up as on the page; what is there but rounds to nothing is shown as such."""
    return "<1%" if 0 < share < 0.005 else f"{int(100 * share + 0.5)}%"


def _box(start: int, end: int, length: int) -> tuple[int, int]:
    """:return: place and size on a map of a report, in characters; a short sentence is drawn wide enough to be seen."""
    size = max(end - start, round(length * _NARROWEST), 1)
    return min(start, length - size), size


def _styles(themes: int) -> str:
    """The page's sheets, the report's own, and rules that dim what a chosen filter leaves out."""
    sheets = [sheet.read_text(encoding="utf-8") for sheet in (*_SHEETS, *_OWN_SHEETS)]
    rules = {
        ".report .unit{}": "color:var(--soft)",
        ".report .unit{} .words": "background:none!important;border-bottom-color:transparent!important",
        ".report .unit{} :is(.mark,.chip,.flag)": "display:none",
        ".side a{} rect": "opacity:.12",
    }
    values = (*range(themes), "doubt")
    chosen = [(f'.document:has(input[value="{value}"]:checked) ', f':not([data-in~="{value}"])') for value in values]
    filters = [
        f"{','.join(scope + part.format(others) for scope, others in chosen)}{{{declarations}}}" for part, declarations in rules.items()
    ]
    return "\n".join([*sheets, "@media screen{", *filters, "}\n"])
