/** The side panel: filter by theme, leaf and uncertainty; threshold; export. Built once per language, then updated. */
import { $, h } from "./dom.js";
import { EXPORTS } from "./export.js";
import { percent, t } from "./i18n.js";
import { goToMatch } from "./moving.js";
import { countThemes, isFiltering, isUncertain, matches } from "./reading.js";
import { START, change, report, view, writeHash } from "./store.js";
import { glyphOf, nameOf, parentOf, themes } from "./taxonomy.js";

let built = null;

export function drawPanel() {
  if (built !== view.lang) build();
  const { any } = countThemes();
  for (const button of $("panel-body").querySelectorAll("[data-code]")) {
    const { code } = button.dataset;
    button.setAttribute("aria-pressed", String(view.show.has(code)));
    button.querySelector(".number").textContent = any.get(code) ?? 0;
    const used = (any.get(code) ?? 0) > 0 || view.show.has(code);
    button.classList.toggle("unused", !used);
    if (code.includes(".")) button.hidden = !used && !view.show.has(parentOf(code));
  }
  for (const group of $("panel-body").querySelectorAll(".leaves")) {
    const theme = group.dataset.of;
    group.hidden = ![...view.show].some((code) => parentOf(code) === theme);
  }
  $("uncertain").checked = view.uncertain;
  $("uncertain-words").textContent = t("uncertain_only", { n: report.units.filter(isUncertain).length });
  $("min").value = view.min;
  $("min-shown").textContent = view.min === START ? t("of_the_model") : percent(view.min);
  $("min").setAttribute("aria-valuetext", $("min-shown").textContent);
  $("clear").hidden = !isFiltering();
  for (const button of $("panel-body").querySelectorAll("[data-export]")) {
    button.textContent = t(`export_${button.dataset.export}`, { n: report.corrections.size });
    if (button.dataset.export === "corrections") button.disabled = report.corrections.size === 0;
  }
  drawMatches();
}

function build() {
  built = view.lang;
  $("panel-body").replaceChildren(
    h("h2", {}, t("themes")),
    h("ul", { class: "legend" }, themes.map((theme) => h("li", {}, toggle(theme.code), h("div", { class: "leaves", role: "group", dataset: { of: theme.code }, "aria-label": t("leaves", { theme: nameOf(theme.code) }) }, theme.leaves.length > 1 ? theme.leaves.map((leaf) => toggle(leaf.code)) : [])))),
    h("label", { class: "check" }, h("input", { type: "checkbox", id: "uncertain", onchange: (event) => change({ uncertain: event.target.checked }) }), " ", h("span", { id: "uncertain-words" })),
    h("button", { type: "button", class: "quiet", id: "clear", onclick: () => change({ show: new Set(), uncertain: false }) }, t("clear")),
    h("div", { class: "threshold" }, h("label", { for: "min" }, t("min_score")), h("output", { id: "min-shown", for: "min" }), h("input", { type: "range", id: "min", min: "0.05", max: "0.95", step: "0.05", oninput: (event) => change({ min: Number(event.target.value) }) })),
    h("h2", {}, t("export")),
    h("div", { class: "exports" }, exportButton("jsonl"), exportButton("csv"), exportButton("html"), h("button", { type: "button", onclick: () => print() }, t("print")), exportButton("corrections", "wide"), navigator.clipboard ? h("button", { type: "button", class: "wide", onclick: copyLink }, t("copy_link")) : null),
    h("p", { class: "note", id: "note", role: "status" }),
    h("p", { class: "keys" }, t("keys")),
  );
}

const exportButton = (kind, look = null) => h("button", { type: "button", class: look, dataset: { export: kind }, onclick: EXPORTS[kind] });

/** Choosing a theme or a leaf; a leaf narrows its theme, a theme closes with its leaves. */
function toggle(code) {
  return h("button", { type: "button", class: code.includes(".") ? "leaf" : "theme", dataset: { code, theme: parentOf(code) }, onclick: () => choose(code) },
    code.includes(".") ? null : h("span", { class: "tile", "aria-hidden": "true" }, glyphOf(code)), h("span", { class: "name" }, nameOf(code)), h("span", { class: "number" }));
}

export function choose(code) {
  const show = new Set(view.show);
  const theme = parentOf(code);
  const open = [...show].filter((other) => parentOf(other) === theme);
  if (code === theme) {
    for (const other of open) show.delete(other);
    if (!open.length) show.add(theme);
  } else {
    show.delete(theme);
    if (!show.delete(code)) show.add(code);
    if (![...show].some((other) => parentOf(other) === theme)) show.add(theme);
  }
  change({ show });
}

function drawMatches() {
  const found = report.units.filter(matches).length;
  $("matches").hidden = !isFiltering();
  if (!isFiltering()) return;
  const words = h("span", {}, found ? t("found", { n: found }) : t("found_none"));
  const step = (by, key, sign) => h("button", { type: "button", class: "quiet", "aria-label": t(key), title: t(key), onclick: () => goToMatch(by) }, sign);
  $("matches").replaceChildren(words, ...(found ? [step(-1, "previous", "←"), step(1, "next", "→")] : []));
}

async function copyLink() {
  writeHash();
  await navigator.clipboard.writeText(location.href);
  $("note").textContent = t("copied");
}
