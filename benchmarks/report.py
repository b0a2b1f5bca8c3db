"""The result of a run as Markdown."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.peers import PEERS, PIPELINE, REFERENCE, TAGGER


def render(result: dict[str, Any]) -> str:
    """:param result: what is written as JSON. :return: the same for readers."""
    machine, work, peers = result["machine"], result["work"], result["peers"]
    sizes = list(peers[PIPELINE]["sentences_per_second"])
    rates = {
        name: median(turn["rates"][name] for turn in result["rounds"]) for name in ("fp32", "bf16") if name in result["rounds"][0]["rates"]
    }
    matrix = ", ".join(f"{name} {rate / 1e9:,.0f} GFLOP/s" for name, rate in rates.items())
    others = [call["others"] for turn in result["rounds"] for calls in turn["calls"].values() for call in calls.values()]
    lines = [
        f"# Side by side, {result['date']}",
        "",
        f"- CPU: {machine['cpu']}, {machine['cores_used']} of {machine['cores']} cores; it has {', '.join(machine['flags'])}; it lacks {', '.join(machine['absent']) or 'none of the others'}.",
        f"- Matrix rate of the {machine['cores_used']} cores, measured in the same run: {matrix}.",
        f"- Model: {result['model']['name']} of {result['model']['created']}; the peers are made of its weights (the float32 checkpoint's vectors differ from those of its float32 graph by {result['parity']['largest_difference']:.0e} at most).",
        f"- Work: the {work['sentences']} corpus sentences, {work['tokens'] / work['sentences']:.1f} tokens and {work['operations'] / work['sentences'] / 1e9:.2f} GFLOP each, padding not counted.",
        f"- {len(result['rounds'])} rounds, peers interleaved in random order; medians. Other processes took {median(others):.0%} of the machine in the median measurement, {max(others):.0%} in the worst.",
        f"- {' '.join(f'{name} {number},' for name, number in machine['libraries'].items()).rstrip(',')}; Python {machine['python']}.",
        "",
        *_missing(machine, peers),
        "## Sentences a second, end to end",
        "",
        "Columns: how many sentences a call hands over; `all` is the whole corpus. Splitting, normalising and tokenising count; the peers stop at the encoder's leaf logits, the tagger goes on to the tags.",
        f"Small calls run {work['stretch']} sentences from the middle of the corpus. In brackets: times the pipeline's defaults, the median of the ratios within each round.",
        "",
        f"| system | {' | '.join(sizes)} |",
        f"|---|{'---|' * len(sizes)}",
        *(_speeds(peer, sizes) for peer in peers.values()),
        "",
        "## What it takes and what it costs",
        "",
        f"Whole corpus in one call. Changes are against {PEERS[REFERENCE].title}, on the labels of the corpus, on which the shipped model was trained: they show what a runtime loses, not how good the tags are.",
        "",
        "| system | GFLOP/s | share of matrix rate | resident MB | on disk MB | leaf micro-F1 | tags changed |",
        "|---|---|---|---|---|---|---|",
        *(_costs(peer) for peer in peers.values()),
        "",
    ]
    return "\n".join(lines)


def _speeds(peer: dict[str, Any], sizes: list[str]) -> str:
    cells = (f"{peer['sentences_per_second'][size]:,.1f} ({peer['times_pipeline'][size]:.2f}×)" for size in sizes)
    return f"| {peer['title']} | {' | '.join(cells)} |"


def _costs(peer: dict[str, Any]) -> str:
    return (
        f"| {peer['title']} | {peer['operations_per_second'] / 1e9:,.0f} | {peer['share_of_matrix_rate']:.0%} of {peer['matrix_precision']}"
        f" | {peer['resident_bytes'] / 1e6:,.0f} | {peer['disk_bytes'] / 1e6:,.1f} | {peer['leaf_micro_f1_change']:+.4f} | {peer['tags_changed']:.1%} |"
    )


def _missing(machine: dict[str, Any], peers: dict[str, Any]) -> list[str]:
    """What this machine cannot show."""
    absent = [PEERS[name].title for name in PEERS if name not in peers]
    lines = []
    if absent:
        lines.append(f"Not run, because this CPU does not multiply bf16 matrices and would do it in software: {', '.join(absent)}.")
    if "amx_bf16" in machine["absent"]:
        times = peers[TAGGER]["times_pipeline"]["all"]
        lines.append(
            "This CPU has no AMX. The project's goals in sentences a second and in share of the matrix rate are set for two AMX cores; this run can"
            f" neither show nor deny them. What carries over are the ratios: here the tagger is {times:.1f} times as fast as the pipeline's defaults."
        )
    return [*lines, ""] if lines else []
