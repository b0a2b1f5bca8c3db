/** The report as it reads, each sentence in the colour of its primary theme; arrow keys move from sentence to sentence. */
import { $, h } from "./dom.js";
import { percent, t } from "./i18n.js";
import { isCorrected, isFiltering, isUncertain, labelsOf, matches } from "./reading.js";
import { report, view } from "./store.js";
import { glyphOf, nameOf } from "./taxonomy.js";

/** Build the report once per document: a line of the text becomes a block, a sentence becomes a button in it. */
export function buildReport() {
  const points = [...report.text];
  const blocks = [];
  let end = 0;
  for (const unit of report.units) {
    const gap = points.slice(end, unit.start).join("");
    if (!blocks.length || /[\r\n\v\f\x85\u2028\u2029]/.test(gap)) {
      const blank = /\n\s*\n/.test(gap.replace(/\r\n?/g, "\n"));
      blocks.push(h(unit.role === "heading" ? "h2" : "p", { class: `line${unit.role === "heading" ? "" : " body"}${blank ? " spaced" : ""}` }));
    } else if (gap) blocks.at(-1).append(gap);
    blocks.at(-1).append(h("span", { id: `unit-${unit.index}`, class: "unit", role: "button", tabindex: "-1", "aria-haspopup": "dialog", "aria-expanded": "false" }));
    end = unit.end;
  }
  $("report").replaceChildren(...blocks);
}

/** Bring every sentence in line with threshold, filter, corrections and language. */
export function drawReport() {
  const filtering = isFiltering();
  let before = null;
  let line = null;
  for (const unit of report.units) {
    const element = elementOf(unit);
    if (element.parentNode !== line) before = null;
    line = element.parentNode;
    const labels = labelsOf(unit);
    const theme = labels[0].parent;
    element.classList.toggle("away", filtering && !matches(unit));
    const mark = theme !== "none" && theme !== before;
    before = theme;
    const look = `${view.lang} ${mark} ${isCorrected(unit)} ${labels.map((label) => label.code)}`;
    if (element.dataset.look === look) continue; // a long report changes in few places
    element.dataset.look = look;
    element.dataset.theme = theme;
    element.classList.toggle("uncertain", isUncertain(unit));
    element.classList.toggle("corrected", isCorrected(unit));
    element.replaceChildren(
      mark ? h("span", { class: "mark", "aria-hidden": "true" }, glyphOf(theme)) : "",
      h("span", { class: "words" }, unit.text),
      isUncertain(unit) ? h("span", { class: "flag", "aria-hidden": "true" }, "?") : "",
      isCorrected(unit) ? h("span", { class: "flag", "aria-hidden": "true" }, "✎") : "",
      ...labels.slice(1).map(chip),
      h("span", { class: "hidden-text", lang: view.lang }, ` ${spoken(unit, labels)}`),
    );
  }
  for (const block of $("report").children) {
    block.classList.toggle("boilerplate", [...block.querySelectorAll(".unit")].every((element) => element.dataset.theme === "none"));
  }
  placeTabStop();
}

function chip(label) {
  return h("span", { class: "chip", dataset: { theme: label.parent }, "aria-hidden": "true", lang: view.lang }, nameOf(label.code), " ", h("b", {}, scoreText(label)));
}

export const scoreText = (label) => (label.score === null ? t("by_hand") : percent(label.score));

function spoken(unit, labels) {
  const words = labels.map((label) => `${nameOf(label.code)} ${scoreText(label)}`).join("、");
  return t("spoken", { labels: words }) + (isUncertain(unit) ? t("spoken_uncertain") : "") + (isCorrected(unit) ? t("spoken_corrected") : "");
}

export const elementOf = (unit) => $(`unit-${unit.index}`);

export function unitOf(target) {
  const element = target.closest?.(".unit");
  return element ? report.units[Number(element.id.slice(5))] : null;
}

/** One sentence at a time is in the tab order. */
export function placeTabStop() {
  const current = report.units[view.at ?? 0] ?? report.units[0];
  for (const element of $("report").querySelectorAll('[tabindex="0"], .here')) {
    element.tabIndex = -1;
    element.classList.remove("here");
  }
  if (!current) return;
  elementOf(current).tabIndex = 0;
  if (view.at !== null) elementOf(current).classList.add("here");
}

/** The next sentence that matches the filter, after (step 1) or before (step -1) a place; round the ends. */
export function nextMatch(from, step) {
  const count = report.units.length;
  for (let way = 1; way <= count; way += 1) {
    const unit = report.units[(((from + step * way) % count) + count) % count];
    if (matches(unit)) return unit;
  }
  return null;
}

export function scrollToUnit(unit) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  elementOf(unit).scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
}
