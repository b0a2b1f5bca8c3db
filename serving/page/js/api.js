/** The service's endpoints. A failure is a ServiceError with the service's own message and request id. */
export class ServiceError extends Error {
  constructor(status, body, retryAfter) {
    const error = body?.error;
    super(error?.message ?? (typeof error === "string" ? error : "") ?? "");
    Object.assign(this, { status, requestId: error?.request_id ?? null, retryAfter });
  }
}

let key = "";
export function useKey(value) {
  key = value.trim();
}

async function call(path, options = {}) {
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let answer, body;
  try {
    answer = await fetch(path, { ...options, headers });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (!answer || answer.ok) throw new ServiceError(0, null, null); // not reached, or broken off half-way
  }
  if (!answer.ok) throw new ServiceError(answer.status, body, answer.headers.get("Retry-After"));
  return body;
}

/** A file of the page itself. */
export async function getText(path) {
  try {
    const answer = await fetch(path);
    if (answer.ok) return await answer.text();
  } catch { /* told below */ }
  throw new ServiceError(0, null, null);
}

/** More labels than the model gives, for the threshold to show; `chosen` says which are its own. */
const OPTIONS = { explain: 2, min_score: 0.05 };

export const getTaxonomy = () => call("taxonomy");
export const getModel = () => call("model");

export function tagText(text, signal) {
  const body = JSON.stringify({ text, ...OPTIONS });
  return call("tag", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
}

/** Files that the page cannot read itself; the answer holds their text. */
export function tagFile(file, signal) {
  const body = new FormData();
  body.append("file", file);
  for (const [name, value] of Object.entries(OPTIONS)) body.append(name, value);
  return call("tag_file", { method: "POST", body, signal });
}
