/** Notices: sentences for screen readers, short-lived ones for the eye, and banners that stay. */

const TOLD_MS = 5000;

/** Sentences kept for screen readers; the older ones have been read. */
const LINES_HEARD = 4;

/** Return the server's words as a sentence: with a capital at first and a full stop at last. */
export function asSentence(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.?!…]$/.test(text) ? text : `${text}.`;
}

/**
 * Return the notices of the page.
 *
 * @param {object} elements
 * @param {HTMLElement} elements.live Polite log, heard but not seen.
 * @param {HTMLElement} elements.told Where a sentence shows for some seconds.
 * @param {HTMLElement} elements.banners Where banners stand.
 * @param {() => void} elements.onClosed A person closed a banner: the focus wants a new home.
 */
export function createNotices({ live, told, banners, onClosed }) {
  const standing = new Map();
  let timer = 0;

  /** Say a sentence to screen readers only: the eye sees the result itself. */
  function say(sentence) {
    const line = document.createElement("p");
    line.textContent = sentence;
    // Added rather than replaced: two sentences at once are both heard.
    live.append(line);
    while (live.children.length > LINES_HEARD) live.firstElementChild.remove();
  }

  /** Say something and show it for some seconds. */
  function tell(words) {
    const sentence = asSentence(words);
    say(sentence);
    told.textContent = sentence;
    told.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => (told.hidden = true), TOLD_MS);
  }

  /**
   * Show a banner until it is taken down; one per `name`.
   *
   * @param {string} name What the banner is about.
   * @param {(string|{code: string})[]} words The sentence, with commands set apart.
   * @param {{kind?: string, action?: {label: string, run: () => void}}} [options]
   */
  function raise(name, words, { kind = "info", action } = {}) {
    const sentence = words.map((word) => word.code ?? word).join("");
    const isNew = standing.get(name)?.dataset.sentence !== sentence;
    if (!isNew) return;
    lower(name);
    const banner = makeBanner(words, kind, action, () => close(name));
    banner.dataset.sentence = sentence;
    banner.dataset.banner = name;
    standing.set(name, banner);
    banners.append(banner);
    say(sentence);
  }

  function lower(name) {
    standing.get(name)?.remove();
    standing.delete(name);
  }

  function close(name) {
    lower(name);
    onClosed();
  }

  return { say, tell, raise, lower, isRaised: (name) => standing.has(name) };
}

function makeBanner(words, kind, action, close) {
  const banner = document.createElement("div");
  banner.className = `banner ${kind}`;
  const sentence = document.createElement("p");
  for (const word of words) sentence.append(word.code === undefined ? word : makeCode(word.code));
  banner.append(sentence);
  if (action) banner.append(makeButton(action.label, action.run));
  const closer = makeButton("✕", close);
  closer.setAttribute("aria-label", "Close this notice");
  banner.append(closer);
  return banner;
}

function makeCode(text) {
  const code = document.createElement("code");
  code.textContent = text;
  return code;
}

function makeButton(label, run) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", run);
  return button;
}
