"""An evaluation's figures as the page that people read, ``evaluation.md``, and as sentences for a model card."""

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
    for name, scheme in report["schemes"].items():
        lines += _scheme(name, scheme)
    missing = [title for scheme, (title, _) in SCHEMES.items() if scheme not in report["schemes"]]
    if missing:
        lines += [f"Not run for this model yet: {', '.join(missing)}.", ""]
    lines += _curve(report["curve"])
    if report["finished"]:
        lines += ["## The finished model", "", *finished(report["finished"]), ""]
    lines += ["## Uncertain sentences", "", uncertain(report["uncertain"]), ""]
    lines += [
        "## Leaves", "", "zhuti, leave one document out.", "",
        "| leaf | | support | predicted | precision | recall | F1 | threshold |", "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        "| {code} | {zh} | {support} | {predicted} | {precision:.2f} | {recall:.2f} | {f1:.2f} | {threshold:.2f} |".format(**leaf)
        for leaf in report["leaves"]
    ]
    lines += ["", "## Most confident errors", "", "| id | sentence | reader | model | score |", "|---|---|---|---|---|"]
    lines += [
        f"| {e['id']} | {e['text'][:90]} | {', '.join(e['reader'])} | {', '.join(e['model'])} | {e['score']:.2f} |" for e in report["worst"]
    ]
    pictures = [*(["curve"] if report["curve"] else []), "confusion", "reliability"]
    predictions = [f"predictions-{name}" for name in report["schemes"]]
    lines += [
        "",
        f"Figures: {', '.join(f'[{name}.svg]({name}.svg)' for name in pictures)}. "
        f"Every prediction: {', '.join(f'[{name}.jsonl]({name}.jsonl)' for name in predictions)}.",
        "",
    ]
    return "\n".join(lines)


def against_baseline(scheme: dict[str, Any]) -> str:
    """How far the model is above the baseline under a way of holding out."""
    parts = [f"{name} {test['leaf_micro_f1']:+.3f} (p = {test['p']:.3f})" for name, test in scheme["against_baseline"].items()]
    return f"Leaf micro-F1 against the baseline, which is trained on the same sentences: {'; '.join(parts)}; paired permutation over blocks, one-sided."


def calibration(scheme: dict[str, Any]) -> str:
    """Expected calibration errors under a way of holding out."""
    parts = [f"{name} {error['themes']:.3f} and {error['primary_theme']:.3f}" for name, error in scheme["calibration_error"].items()]
    return f"Expected calibration error over all decisions on themes, most of them near 0, and for the score of the primary theme alone: {'; '.join(parts)}."


def uncertain(mark: dict[str, float]) -> str:
    """What the mark ``uncertain`` catches."""
    share, errors = mark["share_of_sentences"], mark["share_of_theme_errors"]
    return f"`uncertain` marks {share:.0%} of the sentences and catches {errors:.0%} of the wrong primary themes."


def finished(sets: dict[str, Any]) -> list[str]:
    """What the finished model makes of sentences without context that no training saw.

    :param sets: as :func:`training.finished.score_finished` gives them.
    """
    hard, other, steady = sets["hard_cases"], sets["other_worlds"], sets["steadiness"]
    moved, pairs = sum(steady["moved"].values()), sum(steady["pairs"].values())
    kinds = ", ".join(f"{kind} {count - steady['moved'].get(kind, 0)} of {count}" for kind, count in steady["pairs"].items())
    return [
        f"- {hard['sentences']} hard sentences: leaf {hard['leaf_micro_f1']:.3f}/{hard['leaf_macro_f1']:.3f}, theme {hard['theme_micro_f1']:.3f}/"
        f"{hard['theme_macro_f1']:.3f} micro/macro-F1, primary leaf right {hard['primary_leaf_accuracy']:.3f}.",
        f"- Sentences of other worlds without a theme: {other['no_theme']} of {other['sentences']}.",
        f"- Pairs that say the same in another form and keep the primary theme: {pairs - moved} of {pairs} ({kinds}).",
    ]


def _scheme(name: str, scheme: dict[str, Any]) -> list[str]:
    systems = scheme["systems"]
    kept = scheme["leaves_another_document_supports"]
    lines = [f"## {scheme['title'].capitalize()}", "", f"| figure | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    for key, shown in FIGURES.items():
        cells = [f"{s[key]['value']:.3f} ({s[key]['interval'][0]:.3f}-{s[key]['interval'][1]:.3f})" for s in systems.values()]
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    lines += [
        "",
        f"95 % intervals by bootstrap over blocks of {BLOCK} sentences. {against_baseline(scheme)} {calibration(scheme)} "
        f"Leaves that at least two documents have: zhuti micro {kept['micro']:.3f}, macro {kept['macro']:.3f}.",
        "",
    ]
    if name == "documents":
        lines += [
            "Encoder, nearest sentences and baseline alone are the three views that zhuti joins; the nearest sentences are those of the same encoder. Every method's classifier is fitted on the same training sentences; SetFit's encoder "
            f"is tuned before, in its contrastive step, on at most {SETFIT_SENTENCES} lone written ones alone.", "",
        ]  # fmt: skip
    return lines


def _curve(points: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Learning curve",
        "",
        "Scored on the whole corpus, of which training saw nothing. A number is that of lone written sentences a leaf: mean and spread of three draws. `all` is one "
        "model trained on all written sentences, reports included, in the stages of the one that ships, and scored as exported. No context.",
        "",
    ]
    if not points:
        lines += ["Not run for this model yet.", ""]
    lines += ["| sentences a leaf | system | leaf micro-F1 | leaf macro-F1 | theme micro-F1 |", "|---|---|---|---|---|"]
    for p in points:
        spread = "" if p["per_leaf"] == "all" else f" ± {p['spread']['leaf_micro_f1']:.3f}"
        lines.append(
            f"| {p['per_leaf']} | {p['system']} | {p['leaf_micro_f1']:.3f}{spread} | {p['leaf_macro_f1']:.3f} | {p['theme_micro_f1']:.3f} |"
        )
    return [*lines, ""]
