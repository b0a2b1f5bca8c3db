/** What the report says under the present view: labels by the threshold, corrections, matches, counts. */
import { START, report, view } from "./store.js";
import { parentOf } from "./taxonomy.js";

/**
 * Labels to show for a unit, the primary first: `{code, parent, score}`; score is null where a person gave the label.
 * A lower threshold adds labels to the model's own, a higher one takes some away, never the primary.
 */
export function labelsOf(unit) {
  const own = report.corrections.get(unit.index);
  if (own) return own.map((code) => ({ code, parent: parentOf(code), score: unit.themes.find((theme) => theme.code === code)?.score ?? null }));
  if (view.min < START) return unit.scored.filter((theme) => theme.score >= view.min || unit.themes.includes(theme));
  return unit.themes.filter((theme, place) => place === 0 || view.min === START || theme.score >= view.min);
}

/** What a correction starts from, whatever the threshold. */
export const codesOf = (unit) => report.corrections.get(unit.index) ?? unit.themes.map((theme) => theme.code);

export const isCorrected = (unit) => report.corrections.has(unit.index);
export const isUncertain = (unit) => unit.uncertain && !isCorrected(unit);
export const isFiltering = () => view.show.size > 0 || view.uncertain;

export function matches(unit) {
  if (view.uncertain && !isUncertain(unit)) return false;
  return !view.show.size || labelsOf(unit).some((label) => view.show.has(label.code) || view.show.has(label.parent));
}

/** `primary`: sentences by the theme of their first label. `any`: sentences by every theme and leaf they carry. */
export function countThemes() {
  const primary = new Map();
  const any = new Map();
  const add = (map, code) => map.set(code, (map.get(code) ?? 0) + 1);
  for (const unit of report.units) {
    const labels = labelsOf(unit);
    add(primary, labels[0].parent);
    for (const code of new Set(labels.flatMap((label) => [label.code, label.parent]))) add(any, code);
  }
  return { primary, any };
}

/** Correct the labels of a unit; null takes the correction back. Labels equal to the model's are no correction. */
export function correct(unit, labels) {
  const same = labels && labels.length === unit.themes.length && labels.every((code, place) => code === unit.themes[place].code);
  if (!labels || same) report.corrections.delete(unit.index);
  else report.corrections.set(unit.index, labels);
}
