/** Above the report: its figures and the bar of primary themes. Beside it: the map, one lane a theme, click to jump. */
import { $, h } from "./dom.js";
import { t } from "./i18n.js";
import { goTo } from "./moving.js";
import { choose } from "./panel.js";
import { countThemes, isFiltering, isUncertain, labelsOf, matches } from "./reading.js";
import { elementOf } from "./report.js";
import { report, view } from "./store.js";
import { glyphOf, nameOf, themes } from "./taxonomy.js";

const SVG = "http://www.w3.org/2000/svg";
const upright = matchMedia("(min-width: 72rem)");

export function drawOverview() {
  const uncertain = report.units.filter(isUncertain).length;
  $("result-title").textContent = report.name ?? headline() ?? t("untitled");
  $("figures").textContent = t("figures", { units: report.units.length, uncertain }) + (report.corrections.size ? t("figures_corrected", { n: report.corrections.size }) : "");
  drawBar();
  drawMap();
}

/** A pasted report goes by its first heading. */
const headline = () => report.units.find((unit) => unit.role === "heading" && unit.primary !== "none.boilerplate")?.text;

function drawBar() {
  const { primary } = countThemes();
  const parts = themes.filter((theme) => primary.has(theme.code)).map(({ code }) => {
    const n = primary.get(code);
    const share = n / report.units.length;
    const label = t("bar_part", { theme: nameOf(code), n, share: `${Math.round(100 * share)}%` });
    const part = h("button", { type: "button", class: "tile", dataset: { theme: code }, title: label, "aria-label": label, "aria-pressed": String(view.show.has(code)), onclick: () => choose(code) }, h("span", { "aria-hidden": "true" }, glyphOf(code)));
    part.style.flexGrow = n;
    return part;
  });
  $("bar").replaceChildren(...parts);
}

/** Lanes run down beside the report on a wide page, across above it on a narrow one. */
function drawMap() {
  const length = report.units.at(-1).end;
  const vertical = upright.matches;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", vertical ? `0 0 ${themes.length} ${length}` : `0 0 ${length} ${themes.length}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const filtering = isFiltering();
  for (const unit of report.units) {
    const size = Math.max(unit.end - unit.start, length / 250);
    labelsOf(unit).forEach((label, place) => {
      const lane = themes.findIndex((theme) => theme.code === label.parent);
      const rect = document.createElementNS(SVG, "rect");
      const box = vertical ? [lane + 0.08, unit.start, 0.84, size] : [unit.start, lane + 0.08, size, 0.84];
      ["x", "y", "width", "height"].forEach((name, at) => rect.setAttribute(name, box[at]));
      rect.dataset.theme = label.parent;
      rect.setAttribute("class", `${place ? "other" : "first"}${filtering && !matches(unit) ? " away" : ""}`);
      svg.append(rect);
    });
  }
  const heads = h("div", { class: "heads", "aria-hidden": "true" }, themes.map((theme) => h("span", { dataset: { theme: theme.code }, title: nameOf(theme.code) }, glyphOf(theme.code))));
  const track = h("div", { class: "track", id: "track", role: "slider", tabindex: "0", "aria-label": t("map"), "aria-orientation": vertical ? "vertical" : "horizontal", "aria-valuemin": "1", "aria-valuemax": String(report.units.length) }, svg, h("div", { class: "window", id: "window" }));
  const focused = document.activeElement?.id === "track";
  $("map").replaceChildren(heads, track);
  describePlace();
  track.addEventListener("click", (event) => jump(event, track));
  track.addEventListener("keydown", step);
  if (focused) track.focus();
  drawWindow();
}

/** What the map says to a screen reader. */
export function describePlace() {
  const track = $("track");
  if (!track || !report.units.length) return;
  const unit = report.units[view.at ?? 0] ?? report.units[0];
  const [label] = labelsOf(unit);
  track.setAttribute("aria-valuenow", String(unit.index + 1));
  track.setAttribute("aria-valuetext", t("map_place", { n: unit.index + 1, theme: nameOf(label.code) }));
}

function jump(event, track) {
  const box = track.getBoundingClientRect();
  const share = upright.matches ? (event.clientY - box.top) / box.height : (event.clientX - box.left) / box.width;
  const place = share * report.units.at(-1).end;
  goTo(report.units.find((unit) => unit.end >= place) ?? report.units.at(-1));
}

function step(event) {
  const last = report.units.length - 1;
  const at = view.at ?? 0;
  const moves = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: last };
  if (!(event.key in moves)) return;
  event.preventDefault();
  goTo(report.units[Math.min(Math.max(moves[event.key], 0), last)], { focus: false });
}

/** The part of the report that is in sight, as a frame on the map. */
export function drawWindow() {
  const frame = $("window");
  if (!frame || !report.units.length || $("result").hidden) return;
  const seen = report.units.filter((unit) => {
    const box = elementOf(unit).getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  });
  frame.hidden = !seen.length;
  if (!seen.length) return;
  const length = report.units.at(-1).end;
  const [start, size] = [seen[0].start / length, (seen.at(-1).end - seen[0].start) / length].map((share) => `${100 * share}%`);
  const [place, extent] = upright.matches ? ["top", "height"] : ["left", "width"];
  frame.style.cssText = "";
  frame.style.setProperty(place, start);
  frame.style.setProperty(extent, size);
}

upright.addEventListener("change", () => { if (report.units.length) drawMap(); });
