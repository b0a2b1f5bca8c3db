"""The result of a run against the service as Markdown."""

from __future__ import annotations

from statistics import median
from typing import Any

BUSY = 0.5


def render(result: dict[str, Any]) -> str:
    """:param result: what is written as JSON. :return: the same for readers."""
    machine, together, ready = result["machine"], result["together"], result["ready_seconds"]
    short, report, memory = result["short"], result["report"], result["resident_bytes"]
    rows = [
        (f"one short sentence, 1 client, p50 of {short['requests']}", f"{1e3 * short['p50']:.1f} ms", "≤ 12 ms"),
        ("the same, p99", f"{1e3 * short['p99']:.1f} ms", ""),
        (f"a report of {report['characters']:,} characters, 1 client, p50 of {report['requests']}", f"{report['p50']:.2f} s", ""),
        ("the same, slowest", f"{report['slowest']:.2f} s", ""),
        ("the tagger alone, in process, all sentences in one call", f"{together['tagger_per_second']:,.0f} sentences/s", ""),
        (_together(together, "one sentence a request"), *_ratio(together, "single")),
        (_together(together, f"{together['per_request']} sentences a request"), *_ratio(together, "grouped")),
        (f"start of the process to ready, median of {len(ready)}", f"{median(ready):.1f} s", "≤ 3 s"),
        ("resident memory of the worker, idle", f"{memory['idle'] / 1e6:,.0f} MB", ""),
        (
            f"the same after the run and {memory['kept_sentences']:,} more sentences with evidence",
            f"{memory['loaded'] / 1e6:,.0f} MB",
            "≤ 600 MB",
        ),
    ]
    lines = [
        f"# The service, {result['date']}",
        "",
        f"- CPU: {machine['cpu']}, {machine['cores']} cores, which the service and its clients share; it has {', '.join(machine['flags'])};"
        f" it lacks {', '.join(machine['absent']) or 'none of the others'}.",
        f"- Load average before the run: {result['load_average_before']:.2f}{_warning(result['load_average_before'])}.",
        f"- Memory: {machine['memory_bytes'] / 2**30:.1f} GiB; kernel {machine['kernel']}.",
        f"- Model: {result['model']['name']} of {result['model']['created']}, revision {result['model']['revision']}.",
        "- No sentence is sent twice, and each has the made-up name of a county in front, since the tagger keeps what it has seen and reads all numbers alike.",
        f"- Rates are medians; rounds: {len(together['rounds'])} of {together['sentences']} sentences each, service and tagger in turn; ratios are medians within the rounds.",
        f"- {', '.join(f'{name} {number}' for name, number in machine['libraries'].items())}; Python {machine['python']}.",
        "",
        "| figure | measured | goal |",
        "|---|---|---|",
        *(f"| {name} | {value} | {goal} |" for name, value, goal in rows),
        "",
    ]
    return "\n".join(lines)


def _together(together: dict[str, Any], how: str) -> str:
    return f"{together['clients']} clients, {how}"


def _ratio(together: dict[str, Any], name: str) -> tuple[str, str]:
    return f"{together[f'{name}_per_second']:,.0f} sentences/s, {together[f'{name}_ratio']:.2f} of the tagger alone", "≥ 0.7"


def _warning(load: float) -> str:
    return ": the machine was not quiet, the figures are worse than they would be" if load > BUSY else ""
