/**
 * What is on the page. `view` is what a link can share: it lives in the URL hash and never holds text.
 * `report` is the tagged document with its corrections; it lives in this tab only.
 */
const HASH_WAIT_MS = 200;
const listeners = new Set();
let timer = 0;

/** Where the threshold stands at first: each sentence has the labels that the model itself gives. */
export const START = 0.45;

export const view = { lang: "zh", min: START, show: new Set(), uncertain: false, at: null };
export const report = { name: null, text: "", model: "", units: [], corrections: new Map() };

export function subscribe(listener) {
  listeners.add(listener);
}

/** Take over changes of the view and let the page draw itself again; listeners hear whether only the place changed. */
export function change(patch = {}) {
  Object.assign(view, patch);
  clearTimeout(timer);
  timer = setTimeout(writeHash, HASH_WAIT_MS);
  const moved = Object.keys(patch).join() === "at";
  for (const listener of listeners) listener(moved);
}

/** Put a freshly tagged document on the page: `themes` are the model's own labels, `scored` holds those it left out, too. */
export function open(document) {
  const units = document.units.map(({ chosen, themes, ...unit }) => ({ ...unit, themes: themes.filter(({ code }) => chosen.includes(code)), scored: themes }));
  Object.assign(report, document, { units, corrections: new Map() });
}

export function readHash() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const min = Number(fields.get("min"));
  const at = /^\d+$/.test(fields.get("at") ?? "") ? Number(fields.get("at")) : null;
  Object.assign(view, {
    lang: fields.get("lang") === "en" ? "en" : "zh",
    min: min > 0 && min <= 1 ? min : START,
    show: new Set((fields.get("show") ?? "").split(",").filter((code) => /^[a-z]+(\.[a-z]+)?$/.test(code))),
    uncertain: fields.get("uncertain") === "1",
    at,
  });
}

/** Bring the address up to date; it waits for a pause, since browsers refuse many writes in a row. */
export function writeHash() {
  clearTimeout(timer);
  const fields = [];
  if (view.lang !== "zh") fields.push(`lang=${view.lang}`);
  if (view.min !== START) fields.push(`min=${view.min.toFixed(2)}`);
  if (view.show.size) fields.push(`show=${[...view.show].join(",")}`);
  if (view.uncertain) fields.push("uncertain=1");
  if (view.at !== null) fields.push(`at=${view.at}`);
  const hash = fields.length ? `#${fields.join("&")}` : "";
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

addEventListener("hashchange", () => {
  if (location.hash === "#main") return; // the skip link
  readHash();
  change();
});
