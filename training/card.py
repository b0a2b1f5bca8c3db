"""The model card, written beside the files it describes: from the manifest, and from an evaluation of the same training where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.agreement import readers_f1
from training.metrics import FIGURES
from training.report import against_baseline, calibration, finished, uncertain
from training.schemes import ALONE, BASELINE, OURS
from zhuti.artifact import MANIFEST

_WHAT = {
    "encoder": "A BERT (fine-tuned upper layers, 8-bit weights), the labelled sentences nearest in it and a character n-gram view, joined by a layer that reads the neighbours.",
    "tfidf": "The baseline: character 1-4-gram TF-IDF with one-vs-rest logistic regression. No context, no evidence.",
}
_HELD_OUT = {
    "encoder": """Leave one document out: each document is scored by models, a context layer, calibration and thresholds that were fitted without its labels. As always in
stacking, the context layer also learns from logits of the other documents, whose models had that document among their training sentences.""",
    "tfidf": "Leave one document out: each document is scored by a model, calibration and thresholds that were fitted without its labels.",
}


def refresh_card(folder: Path, evaluation: dict[str, Any]) -> bool:
    """Write the card again with an evaluation, if that was made from the sources and with the seed that the model was.

    :param folder: a model folder, which need not be there.
    :return: whether the card was written.
    """
    same = same_training(folder, evaluation)
    if same:
        write_card(folder, evaluation)
    return same


def same_training(folder: Path, evaluation: dict[str, Any]) -> bool:
    """:return: whether a model is there that was made from an evaluation's sources and with its seed."""
    if not (folder / MANIFEST).is_file():
        return False
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return all(manifest[key] == evaluation[key] for key in ("sources", "seed"))


def write_card(folder: Path, evaluation: dict[str, Any] | None = None) -> None:
    """Write ``README.md`` into a finished model folder.

    :param evaluation: what ``evaluation.json`` holds; it gives the intervals and the baseline's figures.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    size = sum(entry["bytes"] for entry in manifest["files"].values()) / 1e6
    base = f"- base: {manifest['base']}\n" if "base" in manifest else ""
    sources = "\n".join(f"- `{name}` {digest[:12]}…" for name, digest in manifest["sources"].items())
    (folder / "README.md").write_text(
        f"""# {manifest["name"]}

{_WHAT[manifest["kind"]]} It tags sentences of Chinese organisation-work (组织工作) reports with one to three of 32 leaf themes.

{base}- made {manifest["created"]} with seed {manifest["seed"]}; {size:.1f} MB; licence Apache-2.0
- thresholds and calibration: fitted on out-of-fold predictions only

## Measured

{_HELD_OUT[manifest["kind"]]}
Settings were chosen by looking at the same sentences, which may flatter all figures a little.

{_table(manifest["figures"], evaluation)}

{_against_readers(manifest["figures"])}

## Labels

The corpus was read sentence by sentence against the definitions and boundary rules by a language model in two independent passes, then
adjudicated one by one by a third reading; no human panel took part. The written sentences were composed by a language model for training, are
marked `source: written`, and are never evaluated on. Their writers knew the codebook and most of them had looked at corpus sentences for the genre, so the
figures above may flatter the model a little; no run of more than 12 characters is shared, standing names of doctrines, meetings and documents aside.

## Limits

Made for mainland organisation-work reports of 2005-2026. Other party work (united front, propaganda, inspection as such) has no leaf of its own.
Sentences marked `uncertain` should be read by a person. Nothing here judges people; it says what a sentence is about.

## Sources

{sources}
""",
        encoding="utf-8",
    )


def _table(figures: dict[str, float], evaluation: dict[str, Any] | None) -> str:
    if evaluation is None:
        rows = "\n".join(f"| {name} | {figures[key]:.3f} |" for key, name in FIGURES.items())
        return (
            f"| figure | value |\n|---|---|\n{rows}\n\n`make evaluate` measures these again, with intervals and the baseline beside them."
        )
    documents = evaluation["schemes"]["documents"]
    own, alone, baseline = (documents["systems"][name] for name in (OURS, ALONE, BASELINE))
    lines = ["| figure | value | 95 % interval | each sentence alone | TF-IDF baseline |", "|---|---|---|---|---|"]
    for key, name in FIGURES.items():
        low, high = own[key]["interval"]
        lines.append(f"| {name} | {figures[key]:.3f} | {low:.3f}-{high:.3f} | {alone[key]['value']:.3f} | {baseline[key]['value']:.3f} |")
    lines += ["", "Intervals by bootstrap over blocks of neighbouring sentences; more in training/reports/evaluation.md.", ""]
    lines += [f"- {said}" for said in (against_baseline(documents), calibration(documents), uncertain(evaluation["uncertain"]))]
    return "\n".join(lines + (finished(evaluation["finished"]) if evaluation["finished"] else []))


def _against_readers(figures: dict[str, float]) -> str:
    leaf, theme = readers_f1()
    return (
        f"The readers' two passes agree at {leaf:.3f} leaf and {theme:.3f} theme micro-F1 on the same sentences (labels/AGREEMENT.md); "
        f"the model's figures differ from that by {figures['leaf_micro_f1'] - leaf:+.3f} and {figures['theme_micro_f1'] - theme:+.3f}."
    )
