/**
 * What this browser remembers from one visit to the next: name, keys, sizes, place.
 * Decisions are never kept here: the server's journal is their only home.
 */

const PREFIX = "wsss-review:";

/** Return the remembered value of `name`, or `fallback`. */
export function readSetting(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    // A private window may refuse storage; the page works without it.
    return fallback;
  }
}

/** Remember `value` under `name`; null forgets it. */
export function writeSetting(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // As above: what cannot be remembered is asked again next time.
  }
}
