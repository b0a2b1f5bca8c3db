"""The measured figures in docs/operations.md, between two marks; a run of the benchmark renews them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

_BLOCK = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)


def figures(file: Path) -> str:
    """:param file: a result as JSON. :return: what stands between the marks."""
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    together, machine = result["together"], result["machine"]
    return "\n".join(
        [
            f"From [{file.name}](../benchmarks/results/{file.name}), {machine['cpu']}, {machine['cores']} cores, load average before the run {result['load_average_before']:.1f}:",
            "",
            "| what | figure |",
            "|---|---|",
            f"| one short sentence, alone | p50 {1e3 * result['short']['p50']:.1f} ms, p99 {1e3 * result['short']['p99']:.1f} ms |",
            f"| report of {result['report']['characters']:,} characters, alone | {result['report']['p50']:.2f} s |",
            f"| {together['clients']} clients, one sentence a request | {together['single_per_second']:,.0f} sentences/s |",
            f"| {together['clients']} clients, {together['per_request']} sentences a request | {together['grouped_per_second']:,.0f} sentences/s |",
            f"| start to ready | {median(result['ready_seconds']):.1f} s |",
            f"| resident memory of the worker under load | {result['resident_bytes']['loaded'] / 1e6:,.0f} MB |",
            "",
        ]
    )


def written(document: Path) -> str:
    """:return: what stands between the marks now."""
    found = _BLOCK.search(document.read_text(encoding="utf-8"))
    assert found, f"{document} has no marks for figures"
    return found.group()


def write_into(document: Path, file: Path) -> None:
    """Put the figures of a result into the document."""
    text = figures(file)
    document.write_text(_BLOCK.sub(lambda _: text, document.read_text(encoding="utf-8")), encoding="utf-8")
