/** The page: a report goes in, the tagged report comes out. Text stays in this tab. */
import { getModel, getTaxonomy } from "./api.js";
import { closeCard, editUnit, enterCard, startCard } from "./card.js";
import { $ } from "./dom.js";
import { t, translatePage } from "./i18n.js";
import { showCount, startInput } from "./input.js";
import { goTo, startMoving } from "./moving.js";
import { describePlace, drawOverview, drawWindow } from "./overview.js";
import { drawPanel } from "./panel.js";
import { buildReport, drawReport, placeTabStop } from "./report.js";
import { change, open, readHash, report, subscribe, view } from "./store.js";
import { setTaxonomy } from "./taxonomy.js";

const SCHEMES = ["auto", "light", "dark"];
let scheme = 0;
let language = null;

function draw(moved = false) {
  if (moved) {
    placeTabStop();
    describePlace();
    return;
  }
  if (language !== view.lang) {
    language = view.lang;
    translatePage();
    closeCard();
    showCount();
    $("language").textContent = view.lang === "en" ? "中文" : "English";
    $("language").lang = view.lang === "en" ? "zh" : "en";
    $("scheme").textContent = t(`scheme_${SCHEMES[scheme]}`);
    $("again").textContent = t(report.units.length && $("result").hidden ? "back" : "again");
  }
  if (!report.units.length) return;
  drawReport();
  drawPanel();
  drawOverview();
}

function showResult(document) {
  open(document);
  $("model").textContent = document.model;
  buildReport();
  closeCard();
  $("input").hidden = true;
  $("result").hidden = $("again").hidden = false;
  $("again").textContent = t("again");
  const at = report.units[view.at ?? -1];
  view.at = at?.index ?? null;
  change();
  if (at) goTo(at, { focus: false });
  else {
    scrollTo(0, 0);
    $("result-title").focus({ preventScroll: true });
  }
  drawWindow();
}

/** Between the field and the report that was tagged last. */
function swap() {
  closeCard();
  const back = !$("input").hidden;
  $("input").hidden = back;
  $("result").hidden = !back;
  $("again").textContent = t(back ? "again" : "back");
  if (!back) $("text").focus();
}

$("language").addEventListener("click", () => change({ lang: view.lang === "en" ? "zh" : "en" }));
$("scheme").addEventListener("click", () => {
  scheme = (scheme + 1) % SCHEMES.length;
  document.documentElement.dataset.scheme = SCHEMES[scheme];
  $("scheme").textContent = t(`scheme_${SCHEMES[scheme]}`);
});
$("again").addEventListener("click", swap);
addEventListener("beforeunload", (event) => { if (report.corrections.size) event.preventDefault(); });
let waiting = false;
for (const type of ["scroll", "resize"]) addEventListener(type, () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; drawWindow(); });
}, { passive: true });

const wide = matchMedia("(min-width: 72rem)");
const fitPanel = () => { $("panel").open = wide.matches; };
wide.addEventListener("change", fitPanel);
fitPanel();

readHash();
subscribe(draw);
draw();
startInput(showResult);
startMoving({ show: enterCard, edit: editUnit });
startCard();

// Without these the page still takes a text; a service that asks for a key gives them later.
getTaxonomy().then(setTaxonomy).catch(() => {});
getModel().then((model) => { $("model").textContent = model.name; }).catch(() => {});
