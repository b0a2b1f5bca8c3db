/** Themes and leaves with their names, as GET /taxonomy gives them. */
import { view } from "./store.js";

const GLYPHS = {
  political: "政", ideology: "思", cadres: "干", discipline: "严", grassroots: "基", talent: "才",
  service: "服", veterans: "老", department: "组", overview: "综", none: "–",
};
const STAND_ALONE = new Set(["overview.general", "none.boilerplate"]);
const MAX_LABELS = 3;

export let themes = [];
const byCode = new Map();

export function setTaxonomy(taxonomy) {
  themes = taxonomy.themes;
  byCode.clear();
  for (const theme of themes) {
    byCode.set(theme.code, theme);
    for (const leaf of theme.leaves) byCode.set(leaf.code, leaf);
  }
}

export const parentOf = (code) => code.split(".")[0];
export const entry = (code) => byCode.get(code);
export const nameOf = (code) => byCode.get(code)?.[view.lang] ?? code;

/** A one-character mark, so that a theme is never told by its colour alone. */
export function glyphOf(code) {
  const theme = parentOf(code);
  if (view.lang === "en" && theme !== "none") return theme[0].toUpperCase() + theme[1];
  return GLYPHS[theme] ?? nameOf(theme)[0];
}

/** Why these labels of one sentence are not allowed: a key of the strings, or null. */
export function labelProblem(labels) {
  if (!labels.length) return "need_one";
  if (labels.length > MAX_LABELS) return "too_many";
  if (new Set(labels).size < labels.length) return "twice";
  if (labels.length > 1 && labels.some((code) => STAND_ALONE.has(code))) return "alone";
  return null;
}
