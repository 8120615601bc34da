/** The server's HTTP interface: one function per address, and two kinds of failure. */

/** The longest wait for an answer. Longer means that the connection is gone. */
const PATIENCE_MS = 30000;

/** A tunnel or proxy in between says this while the server itself is away. */
const AWAY = [502, 503, 504];

/** The server answered, but with an error: `message` is its sentence. */
export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Nothing answered. */
export class Unreachable extends Error {}

/** Return what the page needs first: classes, annotators, status. */
export function getReview(annotator) {
  return askJson(annotator === null ? "/api/review" : `/api/review?${named(annotator)}`);
}

/** Return the counts and what can be undone. */
export function getStatus(annotator) {
  return askJson(`/api/status?${named(annotator)}`);
}

/** Return the candidates of a class in ranking order, as columns. */
export function getClass(classIndex, annotator) {
  return askJson(`/api/classes/${classIndex}?${named(annotator)}`);
}

/** Return the images on which annotators differ, as columns. */
export function getDisagreements(annotator) {
  return askJson(`/api/disagreements?${named(annotator)}`);
}

/** Send one action and return the server's answer to it. */
export function postAction(action) {
  return askJson("/api/actions", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Review": "1" },
    body: JSON.stringify(action),
  });
}

/** Return the address of a thumbnail, of a loupe picture, or of a map. */
export const pictureAddress = {
  thumbnail: (image, version) => `/thumbnails/${image}?v=${version}`,
  loupe: (image, version) => `/pictures/${image}?v=${version}`,
  map: (classIndex, image, version) => `/maps/${classIndex}/${image}?v=${version}`,
};

/** Return a picture as a blob. An `img` would hide the sentence of a failure. */
export async function getPicture(address, signal) {
  const response = await ask(address, { signal });
  return response.blob();
}

/** Return the sentence that says why the picture at `address` did not load. */
export async function whyNoPicture(address) {
  try {
    await ask(address);
    return "This picture cannot be shown by the browser.";
  } catch (error) {
    return error instanceof Refusal ? error.message : "The server does not answer.";
  }
}

function named(annotator) {
  return `annotator=${encodeURIComponent(annotator)}`;
}

async function askJson(address, options = {}) {
  const response = await ask(address, {
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...options,
  });
  try {
    return await response.json();
  } catch {
    throw new Unreachable("The answer was cut off.");
  }
}

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (options?.signal?.aborted && error.name === "AbortError") throw error;
    throw new Unreachable("The server does not answer.");
  }
  if (response.ok) return response;
  if (AWAY.includes(response.status)) throw new Unreachable("The server does not answer.");
  throw new Refusal(response.status, await sentenceOf(response));
}

async function sentenceOf(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `The server answered with error ${response.status}.`;
  }
}
