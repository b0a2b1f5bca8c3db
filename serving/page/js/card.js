/** The card of one sentence: labels with scores, what the leaf means, evidence; and the way to correct it. */
import { $, h, say } from "./dom.js";
import { editor } from "./editor.js";
import { t } from "./i18n.js";
import { correct, isCorrected, isUncertain, labelsOf } from "./reading.js";
import { elementOf, scoreText, unitOf } from "./report.js";
import { change, report } from "./store.js";
import { entry, glyphOf, nameOf } from "./taxonomy.js";

const WAIT_MS = 320;
const GAP = 10;
const LEAST = 240;
let shown = null;
let pinned = false;
let pointed = null; // where on the page the pointer was
let timer = 0;

export function startCard() {
  const text = $("report");
  let under = null; // what the pointer rests on; text that moves under a resting pointer opens nothing
  text.addEventListener("pointermove", (event) => {
    const unit = unitOf(event.target);
    if (event.pointerType !== "mouse" || unit === under || !(event.movementX || event.movementY)) return;
    under = unit;
    if (pinned) return;
    const point = { x: event.clientX, y: event.clientY };
    later(() => { if (!unit) closeCard(); else if (unit !== shown) showCard(unit, point); });
  });
  text.addEventListener("pointerleave", () => { under = null; if (!pinned) later(closeCard); });
  $("card").addEventListener("pointerenter", () => clearTimeout(timer));
  $("card").addEventListener("pointerleave", () => { if (!pinned && !$("card").contains(document.activeElement)) later(closeCard); });
  text.addEventListener("click", (event) => {
    const unit = unitOf(event.target);
    if (!unit || !getSelection().isCollapsed) return;
    change({ at: unit.index });
    pin(unit, { x: event.clientX, y: event.clientY });
  });
  text.addEventListener("focusin", (event) => {
    const unit = unitOf(event.target);
    if (unit && event.target.matches(":focus-visible")) showCard(unit);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && shown) leave(); });
  document.addEventListener("pointerdown", (event) => { if (shown && !$("card").contains(event.target) && !unitOf(event.target)) closeCard(); });
  document.addEventListener("focusin", (event) => { if (shown && !$("card").contains(event.target) && !unitOf(event.target)) closeCard(); });
}

function later(action) {
  clearTimeout(timer);
  timer = setTimeout(action, WAIT_MS);
}

function pin(unit, point) {
  showCard(unit, point);
  pinned = true;
}

/** Open the card and move into it: for the keyboard. */
export function enterCard(unit) {
  pin(unit);
  $("card").querySelector("button").focus();
}

export function editUnit(unit) {
  pin(unit);
  draw(unit, true);
}

function leave() {
  const back = elementOf(shown);
  const inside = $("card").contains(document.activeElement);
  closeCard();
  if (!inside) return;
  back.focus({ preventScroll: true });
  closeCard(); // focus showed it again
}

export function closeCard() {
  clearTimeout(timer);
  if (shown) elementOf(shown)?.setAttribute("aria-expanded", "false");
  shown = null;
  pinned = false;
  $("card").hidden = true;
}

function showCard(unit, point = null) {
  clearTimeout(timer);
  if (shown && shown !== unit) closeCard();
  shown = unit;
  pointed = point && { x: point.x, y: point.y + scrollY };
  elementOf(unit).setAttribute("aria-expanded", "true");
  draw(unit, false);
}

function draw(unit, editing) {
  const save = (labels) => {
    correct(unit, labels);
    const done = t(isCorrected(unit) ? "saved" : "restored");
    change();
    draw(unit, false);
    $("card").querySelector("button").focus();
    say(done);
  };
  const head = h("p", { class: "number" }, `${unit.index + 1} / ${report.units.length}`);
  const close = h("button", { type: "button", class: "close", "aria-label": t("close"), onclick: leave }, "×");
  const body = editing ? editor(unit, save, () => { draw(unit, false); $("card").querySelector("button").focus(); }) : details(unit, () => draw(unit, true), () => save(null));
  $("card").replaceChildren(h("div", { class: "head" }, head, close), ...body);
  $("card").hidden = false;
  place(unit);
  if (editing) $("card").querySelector("select").focus();
}

function details(unit, edit, restore) {
  const labels = labelsOf(unit);
  const list = h("ul", { class: "labels" }, labels.map((label) => {
    const meter = h("span", { class: "meter", "aria-hidden": "true" }, h("span", {}));
    meter.firstChild.style.width = `${100 * (label.score ?? 1)}%`;
    const { include, exclude } = entry(label.code) ?? {};
    return h("li", { dataset: { theme: label.parent } },
      h("p", { class: "label" }, h("span", { class: "tile", "aria-hidden": "true" }, glyphOf(label.code)), h("span", { class: "name" }, h("small", {}, nameOf(label.parent)), nameOf(label.code)), meter, h("b", {}, scoreText(label))),
      include ? h("p", { class: "definition" }, h("b", {}, t("include")), " ", h("span", { lang: "zh" }, named(include)), h("br"), h("b", {}, t("exclude")), " ", h("span", { lang: "zh" }, named(exclude))) : null);
  }));
  const evidence = unit.evidence ?? [];
  return [
    list,
    isUncertain(unit) ? h("p", { class: "doubt" }, t("uncertain")) : "",
    evidence.length ? h("section", { class: "evidence" }, h("h2", {}, t("evidence")), h("ol", {}, evidence.map(near))) : "",
    h("p", { class: "actions" }, h("button", { type: "button", class: "edit", onclick: edit }, t("edit")), isCorrected(unit) ? h("button", { type: "button", class: "quiet", onclick: restore }, t("restore")) : null),
  ];
}

/** A definition points to other leaves by their codes; readers know them by name. */
const named = (definition) => definition.replace(/ ?([a-z]+\.[a-z]+)/g, (given, code) => (entry(code) ? `“${entry(code).zh}”` : given));

function near(item) {
  const names = item.labels.map((code) => h("span", { class: "chip", dataset: { theme: code.split(".")[0] } }, nameOf(code)));
  return h("li", {}, h("p", { lang: "zh" }, item.text), h("p", { class: "from" }, names, " ", t("similarity", { n: item.similarity.toFixed(2) })));
}

/** Under the line that was pointed at, or above it, where there is more room; as high as that room. A phone shows a sheet (see card.css). */
function place(unit) {
  const card = $("card");
  card.style.maxHeight = "";
  const point = pointed && { x: pointed.x, y: pointed.y - scrollY };
  const lines = [...elementOf(unit).querySelector(".words").getClientRects()];
  const line = (point && lines.find((box) => point.y >= box.top - 4 && point.y <= box.bottom + 4)) ?? lines.at(-1);
  const { width, height, top: edge } = card.getBoundingClientRect();
  if (getComputedStyle(card).position === "fixed") {
    const hidden = lines.at(-1).bottom + 12 - edge;
    if (hidden > 0) scrollBy({ top: hidden });
    return;
  }
  const left = Math.min(Math.max((point?.x ?? line.left) - 40, 12), document.documentElement.clientWidth - width - 12);
  const [above, below] = [line.top - 2 * GAP, innerHeight - line.bottom - 2 * GAP];
  const under = height <= below || below >= above;
  const fits = Math.min(height, Math.max(under ? below : above, LEAST));
  card.style.maxHeight = `${fits}px`;
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${(under ? line.bottom + GAP : line.top - GAP - fits) + scrollY}px`;
}
