"""The model card, written beside the files it describes from the manifest alone."""

from __future__ import annotations

import json
from pathlib import Path

from zhuti.artifact import MANIFEST

_FIGURES = (
    ("leaf_micro_f1", "leaf micro-F1"),
    ("leaf_macro_f1", "leaf macro-F1"),
    ("theme_micro_f1", "theme micro-F1"),
    ("theme_macro_f1", "theme macro-F1"),
    ("primary_leaf_accuracy", "primary leaf right"),
    ("primary_theme_accuracy", "primary theme right"),
)
_WHAT = {
    "encoder": "A small Chinese BERT (fine-tuned upper layers, 8-bit weights) and a character n-gram view, joined by a layer that reads the neighbours.",
    "tfidf": "The baseline: character 1-4-gram TF-IDF with one-vs-rest logistic regression. No context, no evidence.",
}


def write_card(folder: Path) -> None:
    """Write ``README.md`` into a finished model folder."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    size = sum(entry["bytes"] for entry in manifest["files"].values()) / 1e6
    rows = "\n".join(f"| {name} | {manifest['figures'][key]:.3f} |" for key, name in _FIGURES)
    sources = "\n".join(f"- `{name}` {digest[:12]}…" for name, digest in manifest["sources"].items())
    (folder / "README.md").write_text(
        f"""# {manifest["name"]}

{_WHAT[manifest["kind"]]} It tags sentences of Chinese organisation-work (组织工作) reports with one to three of 32 leaf themes.

- base: {manifest["base"]}
- made {manifest["created"]} with seed {manifest["seed"]}; {size:.1f} MB; licence Apache-2.0
- thresholds and calibration: fitted on out-of-fold predictions only

## Measured

Leave one document out over the five corpus reports: each is scored by a model, context layer, calibration and thresholds that saw none of it.

| figure | value |
|---|---|
{rows}

`make evaluate` measures these again, with intervals and the baseline beside them (training/reports/).

## Labels

The corpus was read sentence by sentence against the definitions and boundary rules by a language model in two independent passes, then
adjudicated one by one by a third reading; no human panel took part. The written sentences were composed by a language model for training, are
marked `source: written`, and are never evaluated on. Their writers knew the codebook and most of them had looked at corpus sentences for the genre, so the
figures above may flatter the model a little; no run of more than 12 characters is shared.

## Limits

Made for mainland organisation-work reports of 2005-2026. Other party work (united front, propaganda, inspection as such) has no leaf of its own.
Sentences marked `uncertain` should be read by a person. Nothing here judges people; it says what a sentence is about.

## Sources

{sources}
""",
        encoding="utf-8",
    )
