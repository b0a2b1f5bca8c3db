/** Files made in the browser. Results keep the service's answer; `labels` says what holds after threshold and corrections. */
import { getText } from "./api.js";
import { $, h } from "./dom.js";
import { t } from "./i18n.js";
import { isCorrected, isUncertain, labelsOf } from "./reading.js";
import { report } from "./store.js";
import { nameOf } from "./taxonomy.js";

const stem = () => (report.name ?? "zhuti").replace(/\.[^.]+$/, "");
const codes = (unit) => labelsOf(unit).map((label) => label.code);

export const EXPORTS = {
  jsonl: () => save("jsonl", "application/jsonl", jsonl()),
  csv: () => save("csv", "text/csv", csv()),
  html: () => annotated().then((page) => save("html", "text/html", page), () => { $("note").textContent = t("unreachable"); }),
  corrections: () => save("corrections.jsonl", "application/jsonl", corrections()),
};

function save(ending, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  Object.assign(document.createElement("a"), { href: url, download: `${stem()}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

function jsonl() {
  return lines(report.units.map(({ evidence, scored, ...unit }) => ({ ...unit, labels: codes(unit), corrected: isCorrected(unit) })));
}

/** Lines as labels/examples.jsonl holds them. A pasted report goes by the time of the export, so that no two share an id. */
function corrections() {
  const source = report.name ? stem() : `pasted-${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}`;
  const id = (unit) => `${source}:${String(unit.index).padStart(3, "0")}`;
  return lines(report.units.filter(isCorrected).map((unit) => ({ id: id(unit), text: unit.text, labels: codes(unit), source: "correction" })));
}

/** With a mark for spreadsheets that would not take it for UTF-8, and no cell that they would run as a formula. */
function csv() {
  const cell = (value) => {
    const text = String(value);
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = report.units.map((unit) => {
    const labels = labelsOf(unit);
    const first = labels[0];
    return [
      unit.index, unit.start, unit.end, unit.role, first.code, nameOf(first.parent), nameOf(first.code),
      labels.map((label) => label.code).join(" "), labels.map((label) => label.score ?? "").join(" "), isUncertain(unit), isCorrected(unit), unit.text,
    ];
  });
  const head = ["index", "start", "end", "role", "primary", "theme", "leaf", "labels", "scores", "uncertain", "corrected", "text"];
  return `\ufeff${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** The report as it stands on the page, in one file that needs nothing else. */
async function annotated() {
  const css = await Promise.all(["palette", "report", "print"].map((name) => getText(`css/${name}.css`)));
  const copy = $("report").cloneNode(true);
  for (const element of copy.querySelectorAll(".unit")) {
    const hidden = element.querySelector(".hidden-text");
    element.title = hidden.textContent.trim();
    hidden.remove();
    for (const name of ["data-look", "role", "tabindex", "aria-haspopup", "aria-expanded"]) element.removeAttribute(name);
    element.classList.remove("here");
  }
  const legend = $("panel-body").querySelector(".legend").cloneNode(true);
  for (const part of legend.querySelectorAll(".leaves, .unused")) part.remove();
  for (const button of legend.querySelectorAll("button")) {
    button.querySelector(".tile").dataset.theme = button.dataset.theme;
    button.replaceWith(...button.childNodes);
  }
  const main = h("main", { class: "standalone" }, h("h1", {}, $("result-title").textContent), legend, copy);
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width">${h("title", {}, $("result-title").textContent).outerHTML}<style>${css.join("\n")}</style>`;
  return `<!doctype html>\n<html lang="${document.documentElement.lang}"><head>${head}</head><body>${main.outerHTML}</body></html>\n`;
}
