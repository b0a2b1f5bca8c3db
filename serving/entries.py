"""How much one answer may hold: its themes and evidence sentences, counted before the work."""

from __future__ import annotations

from serving.errors import ServiceError
from serving.limits import OFFLINE
from zhuti.options import Options
from zhuti.taxonomy import MAX_LABELS, Taxonomy


def check_entries(units: int, options: Options, taxonomy: Taxonomy, limit: int) -> None:
    """:raises ServiceError: 413 if the themes and evidence of so many units could be more than the limit."""
    themes = _most_themes(options, taxonomy)
    entries = units * (themes + options.explain)
    if entries > limit:
        asked = f"{units:,} sentences with up to {themes} themes and {options.explain} evidence sentences each make {entries:,} entries"
        raise ServiceError(413, f"{asked}; at most {limit:,} are answered at once; ask for fewer (top_k, explain), or {OFFLINE}")


def _most_themes(options: Options, taxonomy: Taxonomy) -> int:
    every = len(taxonomy.codes if options.level == "leaf" else taxonomy.theme_codes)
    if options.top_k is not None:
        return min(options.top_k, every)
    return MAX_LABELS if options.min_score is None else every
