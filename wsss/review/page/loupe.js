/** The loupe: one picture as large as the window allows, with everything needed to decide on it. */

import { pictureAddress, whyNoPicture } from "./api.js";
import { asSentence } from "./notices.js";
import { fillMark } from "./tile.js";

/** A finger moved this far sideways, in pixels, means the next or the previous picture. */
const SWIPE = 50;

/**
 * Return the loupe.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.root The section of index.html.
 * @param {HTMLElement} parts.behind What cannot be reached while the loupe is open.
 * @param {string} parts.version The version in picture addresses.
 * @param {object} parts.overlay See overlay.js.
 * @param {(command: string) => void} parts.run Runs a command; here for swipes.
 */
export function createLoupe({ root, behind, version, overlay, run }) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const frame = part("frame");
  const preview = part("preview");
  const picture = part("picture");
  const failure = part("failure");
  let shown = null;
  let hasMap = false;

  function open() {
    root.hidden = false;
    behind.inert = true;
    root.focus();
  }

  function close() {
    root.hidden = true;
    behind.inert = false;
    clear();
  }

  function clear() {
    shown = null;
    overlay.take();
    for (const element of [preview, picture]) element.removeAttribute("src");
  }

  /**
   * Show a candidate.
   *
   * @param {object} candidate See candidates.js.
   * @param {object} around The question, where else the image is ranked, the class whose map may be
   *     laid over it, and the images that are likely to be next.
   */
  function show(candidate, { question, ranked, mapClass, neighbours }) {
    part("title").textContent = candidate.title;
    part("position").textContent = `${candidate.position} of ${candidate.count} shown`;
    part("question").textContent = question;
    const facts = [`image ${candidate.imageId}`, ranked, ...candidate.votes];
    part("facts").textContent = facts.filter(Boolean).join(" · ");
    fillMark(part("mark"), candidate.letter, candidate.pending);
    root.dataset.letter = candidate.letter;
    root.dataset.pending = String(candidate.pending !== null);
    root.dataset.image = candidate.image;
    part("reject").setAttribute("aria-pressed", String(candidate.letter === "r"));
    part("keep").setAttribute("aria-pressed", String(candidate.letter === "k"));
    if (shown === candidate.image) return;
    shown = candidate.image;
    showPicture(candidate.image);
    if (hasMap) overlay.lay(frame, mapClass, candidate.image);
    neighbours.forEach(fetchAhead);
  }

  function showPicture(image) {
    overlay.take();
    failure.hidden = true;
    picture.classList.remove("loaded");
    // The thumbnail is there already and bridges the time until the picture has come.
    preview.src = pictureAddress.thumbnail(image, version);
    picture.src = pictureAddress.loupe(image, version);
  }

  function fetchAhead(image) {
    const ahead = new Image();
    ahead.fetchPriority = "low";
    ahead.src = pictureAddress.loupe(image, version);
  }

  /** Lay the map over the picture, and over those that follow, or take it away. */
  function toggleMap(mapClass) {
    hasMap = !hasMap;
    part("map").setAttribute("aria-pressed", String(hasMap));
    if (hasMap) overlay.lay(frame, mapClass, shown);
    else overlay.take();
  }

  function takeRatio(event) {
    const { naturalWidth, naturalHeight } = event.target;
    frame.style.setProperty("--ratio", naturalWidth / naturalHeight);
  }

  preview.addEventListener("load", takeRatio);
  picture.addEventListener("load", (event) => {
    takeRatio(event);
    picture.classList.add("loaded");
  });
  picture.addEventListener("error", async () => {
    const asked = shown;
    if (asked === null) return;
    const sentence = await whyNoPicture(pictureAddress.loupe(asked, version));
    if (shown !== asked) return;
    failure.textContent = asSentence(sentence);
    failure.hidden = false;
  });
  listenToSwipes(part("stage"), run);

  return { open, close, show, toggleMap, isOpen: () => !root.hidden };
}

function listenToSwipes(stage, run) {
  let start = null;
  stage.addEventListener("touchstart", (event) => {
    // Two fingers zoom.
    start = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    if (!start) return;
    const end = event.changedTouches[0];
    const across = end.clientX - start.clientX;
    const along = Math.abs(end.clientY - start.clientY);
    start = null;
    const isSideways = Math.abs(across) > Math.max(SWIPE, 2 * along);
    if (isSideways) run(across < 0 ? "right" : "left");
  });
}
