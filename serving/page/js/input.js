/** Paste, drop or choose a report; progress, cancel and errors. */
import { ServiceError, getTaxonomy, getText, tagFile, tagText, useKey } from "./api.js";
import { $, h } from "./dom.js";
import { t } from "./i18n.js";
import { report } from "./store.js";
import { setTaxonomy, themes } from "./taxonomy.js";

const PLAIN = /\.txt$/i;
let running = null;
let name = null;

/** Call `done({name, text, model, units})` for every report that was tagged. */
export function startInput(done) {
  const text = $("text");
  text.addEventListener("input", () => { name = null; showCount(); });
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (text.value.trim()) tag(() => text.value, null, done);
    else fail(t("empty"));
  });
  $("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) takeFile(file, done);
  });
  $("example").addEventListener("click", () => getText("example.txt").then((words) => setText(words, null), failService));
  $("cancel").addEventListener("click", () => running?.abort());
  const drop = $("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    const files = event.dataTransfer.files;
    if (!files.length) return; // dragged text goes into the field by itself
    event.preventDefault();
    if (files.length > 1) fail(t("one_file", { n: files.length }));
    else takeFile(files[0], done);
  });
  // A file that misses the field must not replace the page.
  for (const type of ["dragover", "drop"]) addEventListener(type, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
}

export function showCount() {
  const length = [...$("text").value].length;
  $("count").textContent = length ? t("characters", { n: length.toLocaleString() }) : "";
}

function setText(text, from) {
  $("text").value = text;
  name = from;
  showCount();
  $("error").hidden = true;
  $("tag").focus();
}

/** Plain UTF-8 text is read here and can still be edited; everything else the service reads. */
async function takeFile(file, done) {
  if (PLAIN.test(file.name)) {
    try {
      setText(new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()), file.name);
      return tag(() => $("text").value, null, done);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // not UTF-8: the service knows the other encodings
    }
  }
  return tag(null, file, done);
}

async function tag(read, file, done) {
  if (running || (report.corrections.size && !confirm(t("discard")))) return;
  running = new AbortController();
  const { signal } = running;
  const text = read?.();
  const from = file?.name ?? name;
  const stop = showProgress((s) => (file ? t("tagging_file", { name: file.name, s }) : t("tagging", { n: [...text].length.toLocaleString(), s })));
  try {
    useKey($("key").value);
    if (!themes.length) setTaxonomy(await getTaxonomy());
    const answer = await (file ? tagFile(file, signal) : tagText(text, signal));
    if (!answer.units.length) fail(t("no_units"));
    else done({ name: from, text: answer.text ?? text, model: answer.model, units: answer.units });
  } catch (error) {
    if (error.name === "AbortError") fail(t("cancelled"));
    else if (error instanceof ServiceError) failService(error);
    else throw error;
  } finally {
    running = null;
    stop();
  }
}

function showProgress(words) {
  const started = Date.now();
  const show = () => { $("progress-text").textContent = words(Math.floor((Date.now() - started) / 1000)); };
  show();
  const timer = setInterval(show, 1000);
  $("progress").hidden = false;
  $("error").hidden = true;
  $("tag").disabled = true;
  return () => {
    clearInterval(timer);
    $("progress").hidden = true;
    $("tag").disabled = false;
  };
}

function failService(error) {
  if (error.status === 401) $("key-field").hidden = false;
  const known = [401, 404, 413, 415, 429, 504].includes(error.status);
  const reason = error.status === 0 ? t("unreachable") : t(known ? `error_${error.status}` : "error_other");
  const more = [error.message, error.retryAfter && t("retry_after", { s: error.retryAfter }), error.requestId && t("request_id", { id: error.requestId })].filter(Boolean);
  fail(reason, more.join(" · "));
  if (error.status === 401) $("key").focus();
}

function fail(reason, more = "") {
  $("error").replaceChildren(h("p", {}, h("strong", {}, t("failed")), " ", reason), ...(more ? [h("p", { class: "more" }, more)] : []));
  $("error").hidden = false;
}
