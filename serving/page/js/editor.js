/** The form in which a person corrects the themes of one sentence. */
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { codesOf } from "./reading.js";
import { labelProblem, nameOf, themes } from "./taxonomy.js";

/** `save(labels)` gets one to three leaf codes that the taxonomy allows. */
export function editor(unit, save, cancel) {
  const labels = codesOf(unit);
  const fields = ["first", "second", "third"].map((key, place) => {
    const select = h("select", { id: `edit-${key}` }, place ? h("option", { value: "" }, t("nothing")) : null, themes.map(options));
    select.value = labels[place] ?? "";
    return h("p", { class: "field" }, h("label", { for: `edit-${key}` }, t(key)), select);
  });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    const chosen = fields.map((field) => field.querySelector("select").value).filter(Boolean);
    const wrong = labelProblem(chosen);
    if (wrong) problem.textContent = t(wrong);
    else save(chosen);
  };
  const buttons = h("p", { class: "actions" }, h("button", { type: "submit", class: "strong" }, t("save")), h("button", { type: "button", class: "quiet", onclick: cancel }, t("cancel")));
  return [h("p", { class: "quote", lang: "zh" }, unit.text), h("form", { onsubmit: submit }, ...fields, problem, buttons)];
}

function options(theme) {
  return h("optgroup", { label: nameOf(theme.code) }, theme.leaves.map((leaf) => h("option", { value: leaf.code }, nameOf(leaf.code))));
}
