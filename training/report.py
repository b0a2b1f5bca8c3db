"""An evaluation's figures as the page that people read, ``evaluation.md``."""

from __future__ import annotations

from typing import Any

from training.dataset import BLOCK
from training.metrics import FIGURES
from training.peers import SETFIT_SENTENCES
from training.schemes import SCHEMES


def render(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = [
        "# Evaluation",
        "",
        f"{report['sentences']} corpus sentences, each scored by models that had not seen it; {report['written']} written sentences in training alone.",
        "",
    ]
    for scheme in report["schemes"].values():
        lines += [
            f"## {scheme['title'].capitalize()}",
            "",
            "| figure | " + " | ".join(scheme["systems"]) + " |",
            "|---" * (len(scheme["systems"]) + 1) + "|",
        ]
        for key in next(iter(scheme["systems"].values())):
            cells = [f"{s[key]['value']:.3f} ({s[key]['interval'][0]:.3f}-{s[key]['interval'][1]:.3f})" for s in scheme["systems"].values()]
            lines.append(f"| {key.replace('_', ' ')} | " + " | ".join(cells) + " |")
        test = scheme["against_baseline"]
        kept = scheme["leaves_another_document_supports"]
        lines += [
            "", f"95 % intervals by bootstrap over blocks of {BLOCK} sentences. BERT above the baseline by {test['leaf_micro_f1_difference']:.3f} leaf micro-F1 "
            f"(paired permutation over blocks, p = {test['p']:.4f}). Leaves that at least two documents have: micro {kept['micro']:.3f}, macro {kept['macro']:.3f}. "
            f"Expected calibration error {scheme['theme_calibration_error']:.3f} over all decisions on themes, most of them near 0, and "
            f"{scheme['primary_theme_calibration_error']:.3f} for the score of the primary theme alone.", "",
        ]  # fmt: skip
    lines += [
        "## Peers", "",
        "Leave one document out. Every method's classifier is fitted on the same training sentences; SetFit's encoder is tuned before, in its contrastive step, "
        f"on at most {SETFIT_SENTENCES} lone written ones alone.", "",
    ]  # fmt: skip
    missing = [title for scheme, (title, _) in SCHEMES.items() if scheme not in report["schemes"]]
    if missing or not report["peers"]:
        lines += [f"Not run for this model yet: {', '.join([*missing, *([] if report['peers'] else ['the peers'])])}.", ""]
    lines += ["| method | " + " | ".join(key.replace("_", " ") for key in FIGURES) + " |", "|---" * (len(FIGURES) + 1) + "|"]
    ours = report["schemes"]["documents"]["systems"]
    methods = {name: {key: ours[name][key]["value"] for key in FIGURES} for name in ours} | report["peers"]
    lines += [f"| {name} | " + " | ".join(f"{figures[key]:.3f}" for key in FIGURES) + " |" for name, figures in methods.items()]
    lines += [
        "",
        "## Learning curve",
        "",
        "Scored on the whole corpus, of which training saw nothing. A number is that of lone written sentences a leaf: mean and spread of three draws. `all` is one "
        "model trained on all written sentences, reports included, in the stages of the one that ships, and scored as exported.",
        "",
    ]
    if not report["curve"]:
        lines += ["Not run for this model yet.", ""]
    lines += ["| sentences a leaf | system | leaf micro F1 | leaf macro F1 | theme micro F1 |", "|---|---|---|---|---|"]
    for p in report["curve"]:
        spread = "" if p["per_leaf"] == "all" else f" ± {p['spread']['leaf_micro_f1']:.3f}"
        lines.append(
            f"| {p['per_leaf']} | {p['system']} | {p['leaf_micro_f1']:.3f}{spread} | {p['leaf_macro_f1']:.3f} | {p['theme_micro_f1']:.3f} |"
        )
    mark = report["uncertain"]
    lines += [
        "",
        "## Uncertain sentences",
        "",
        f"`uncertain` marks {mark['share_of_sentences']:.0%} of the sentences and catches {mark['share_of_theme_errors']:.0%} of the wrong primary themes.",
        "",
    ]
    lines += [
        "## Leaves",
        "",
        "BERT, leave one document out.",
        "",
        "| leaf | | support | predicted | precision | recall | F1 | threshold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        "| {code} | {zh} | {support} | {predicted} | {precision:.2f} | {recall:.2f} | {f1:.2f} | {threshold:.2f} |".format(**leaf)
        for leaf in report["leaves"]
    ]
    lines += ["", "## Most confident errors", "", "| id | sentence | reader | model | score |", "|---|---|---|---|---|"]
    lines += [
        f"| {e['id']} | {e['text'][:90]} | {', '.join(e['reader'])} | {', '.join(e['model'])} | {e['score']:.2f} |" for e in report["worst"]
    ]
    lines += [
        "",
        f"Figures: {'[curve.svg](curve.svg), ' if report['curve'] else ''}[confusion.svg](confusion.svg), [reliability.svg](reliability.svg). Every prediction: [predictions.jsonl](predictions.jsonl).",
        "",
    ]
    return "\n".join(lines)
