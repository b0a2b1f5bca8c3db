/** Chinese and English: `t(key, values)` for text made here, data-i18n attributes for text in index.html. */
import { view } from "./store.js";
import { STRINGS } from "./strings.js";

export function t(key, values = {}) {
  const text = STRINGS[key][view.lang === "en" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const percent = (score) => `${Math.round(score * 100)}%`;

export function translatePage() {
  document.documentElement.lang = view.lang === "en" ? "en" : "zh-CN";
  document.title = t("document_title");
  for (const element of document.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of document.querySelectorAll("[data-i18n-label]")) element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  for (const element of document.querySelectorAll("[data-i18n-placeholder]")) element.placeholder = t(element.dataset.i18nPlaceholder);
}
