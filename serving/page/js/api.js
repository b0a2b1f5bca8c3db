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
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, null, null);
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new ServiceError(answer.status, body, answer.headers.get("Retry-After"));
  return body;
}

const EVIDENCE = 2;

export const getTaxonomy = () => call("taxonomy");
export const getModel = () => call("model");

export function tagText(text, signal) {
  const body = JSON.stringify({ text, explain: EVIDENCE });
  return call("tag", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
}

/** Files that the page cannot read itself; the answer holds their text. */
export function tagFile(file, signal) {
  const body = new FormData();
  body.append("file", file);
  body.append("explain", EVIDENCE);
  return call("tag_file", { method: "POST", body, signal });
}
