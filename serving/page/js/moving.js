/** Moving through the report: keys, jumps, next and previous match. */
import { $ } from "./dom.js";
import { elementOf, nextMatch, scrollToUnit, unitOf } from "./report.js";
import { change, report, view } from "./store.js";

/** Go to a sentence: into view, into the link, and into focus unless told otherwise. */
export function goTo(unit, { focus = true } = {}) {
  change({ at: unit.index });
  scrollToUnit(unit);
  if (focus) elementOf(unit).focus({ preventScroll: true });
}

export function goToMatch(step) {
  const start = view.at ?? (step > 0 ? -1 : 0);
  const unit = nextMatch(start, step);
  if (unit) goTo(unit);
}

/** `actions`: what Enter and E do with a sentence. */
export function startMoving(actions) {
  const last = () => report.units.length - 1;
  const places = {
    ArrowRight: (at) => at + 1, ArrowDown: (at) => at + 1, ArrowLeft: (at) => at - 1, ArrowUp: (at) => at - 1, Home: () => 0, End: last,
  };
  $("report").addEventListener("keydown", (event) => {
    const unit = unitOf(event.target);
    if (!unit || event.ctrlKey || event.metaKey || event.altKey) return;
    const pressed = event.key.toLowerCase();
    if (event.key in places) goTo(report.units[Math.min(Math.max(places[event.key](unit.index), 0), last())]);
    else if (event.key === "Enter" || event.key === " ") actions.show(unit);
    else if (pressed === "e") actions.edit(unit);
    else if (pressed === "n" || pressed === "p") goToMatch(pressed === "n" ? 1 : -1);
    else return;
    event.preventDefault();
  });
}
