"""How far two independent readings agree: writes labels/AGREEMENT.md (``python -m training.agreement``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from training.corpus import ROOT, SENTENCES
from training.dataset import ANNOTATIONS, EXAMPLES, TAXONOMY
from zhuti.annotations import load_annotations, read_json_lines
from zhuti.taxonomy import Taxonomy

PASSES = ROOT / "labels" / "passes"
AGREEMENT = ROOT / "labels" / "AGREEMENT.md"
Reading = Mapping[str, Sequence[str]]


def alpha(first: Reading, second: Reading) -> float:
    """Krippendorff's alpha with MASI distance (Passonneau 2006) between two readings of the same sentences."""
    from nltk.metrics import AnnotationTask, masi_distance

    triples = [(reader, item, frozenset(reading[item])) for reader, reading in (("a", first), ("b", second)) for item in first]
    return float(AnnotationTask(data=triples, distance=masi_distance).alpha())


def pair_f1(first: Reading, second: Reading, code: str | None = None) -> float:
    """F1 of one reading taken against the other, over all labels or one; it is the same from either side."""

    def keep(labels: Sequence[str]) -> set[str]:
        return {label for label in labels if code is None or label == code}

    hits = sum(len(keep(first[item]) & keep(second[item])) for item in first)
    given = sum(len(keep(first[item])) + len(keep(second[item])) for item in first)
    return 2 * hits / given if given else 1.0


def to_theme_level(reading: Reading) -> dict[str, list[str]]:
    return {item: sorted({label.partition(".")[0] for label in labels}) for item, labels in reading.items()}


def readings(taxonomy: Taxonomy) -> tuple[dict[str, tuple[str, ...]], ...]:
    """:return: the labels of each corpus sentence by the first pass, by the second, and as adjudicated."""
    files = (PASSES / "reader-a.jsonl", PASSES / "reader-b.jsonl", ANNOTATIONS)
    return tuple({annotation.id: annotation.labels for annotation in load_annotations(path, SENTENCES, taxonomy)} for path in files)


def readers_f1() -> tuple[float, float]:
    """:return: F1 between the two passes, of leaves and of themes."""
    a, b, _ = readings(Taxonomy.load(TAXONOMY))
    return pair_f1(a, b), pair_f1(to_theme_level(a), to_theme_level(b))


def render() -> str:
    """The whole page, from the files under labels/."""
    taxonomy = Taxonomy.load(TAXONOMY)
    a, b, final = readings(taxonomy)
    texts = {row["id"]: row["text"] for _, row in read_json_lines(SENTENCES)}
    reasons = {row["id"]: row.get("reason", "") for _, row in read_json_lines(ANNOTATIONS)}
    apart = [item for item in a if a[item] != b[item]]
    themes_a, themes_b = to_theme_level(a), to_theme_level(b)
    lines = [
        "# Agreement", "",
        "Made by `python -m training.agreement` from the files in this folder. Two independent passes of a language model read every corpus sentence in its",
        "context against the taxonomy's definitions and boundary rules; the second saw neither the first nor its notes. Both readers are the same kind of model, and",
        "the boundary rules were learnt on these documents, so the agreement is an upper bound of what two people would reach, not an estimate of it.", "",
        "| level | Krippendorff's alpha (MASI) | F1 between passes |", "|---|---|---|",
        f"| leaf | {alpha(a, b):.3f} | {pair_f1(a, b):.3f} |",
        f"| theme | {alpha(themes_a, themes_b):.3f} | {pair_f1(themes_a, themes_b):.3f} |", "",
        f"{len(a)} sentences; {len(a) - len(apart)} labelled alike to the order, {sum(a[i][0] == b[i][0] for i in a)} with the same primary leaf. "
        f"Adjudicated: {len(apart)}; {sum(final[i] == a[i] for i in apart)} as the first reader, {sum(final[i] == b[i] for i in apart)} as the second, "
        f"{sum(final[i] not in (a[i], b[i]) for i in apart)} otherwise.", "",
        *_written_check(taxonomy),
        "## By theme and leaf", "", "| code | | support (final) | F1 between passes |", "|---|---|---|---|",
    ]  # fmt: skip
    support = Counter(label for labels in final.values() for label in labels)
    for theme in taxonomy.themes:
        count = sum(support[leaf.code] for leaf in theme.leaves)
        lines.append(f"| **{theme.code}** | {theme.zh} | {count} | {pair_f1(themes_a, themes_b, theme.code):.2f} |")
        lines += [f"| {leaf.code} | {leaf.zh} | {support[leaf.code]} | {pair_f1(a, b, leaf.code):.2f} |" for leaf in theme.leaves]
    lines += ["", "## The disagreements", "", "| id | sentence | first | second | decided | reason |", "|---|---|---|---|---|---|"]
    lines += [f"| {i} | {texts[i][:60]} | {', '.join(a[i])} | {', '.join(b[i])} | {', '.join(final[i])} | {reasons[i]} |" for i in apart]
    return "\n".join(lines) + "\n"


def _written_check(taxonomy: Taxonomy) -> list[str]:
    """Agreement of a blind reader with the labels that written sentences were written for, before any was revised."""
    examples = {row["id"]: row for _, row in read_json_lines(EXAMPLES)}
    read = {row["id"]: row["labels"] for _, row in read_json_lines(PASSES / "written-check.jsonl") if row["id"] in examples}
    revised = [row for _, row in read_json_lines(PASSES / "written-revised.jsonl")]
    was = {row["id"]: row["was"] for row in revised}
    contradicted = sum(row["reason"].startswith("contradicted by an out-of-fold prediction") for row in revised)
    lines = [
        "## Written sentences",
        "",
        "A reader who saw neither labels nor writers' notes labelled a random sample; the agreement is with the labels as they were written.",
        f"{len(revised)} labels were revised afterwards, read again in context against the codebook (passes/written-revised.jsonl): {contradicted} that",
        f"out-of-fold predictions contradicted, all in passages, and {len(revised) - contradicted} that a second reader read otherwise.",
        "",
        "| sample | sentences | leaf F1 | same primary leaf |",
        "|---|---|---|---|",
    ]
    for name, inside in (("lone sentences", False), ("sentences of passages", True)):
        part = {item: labels for item, labels in read.items() if ("document" in examples[item]) == inside}
        written = {item: was.get(item, examples[item]["labels"]) for item in part}
        same = sum(written[item][0] == part[item][0] for item in part) / max(1, len(part))
        lines.append(f"| {name} | {len(part)} | {pair_f1(written, part):.3f} | {same:.3f} |")
    return [*lines, ""]


if __name__ == "__main__":
    AGREEMENT.write_text(render(), encoding="utf-8")
    print(AGREEMENT)
