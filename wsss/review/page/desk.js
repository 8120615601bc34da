/**
 * The desk: which view is open, where one is in it, and what is decided there. Nothing of the
 * document is known here; `on` tells the screen what changed.
 */

import { getClass, getDisagreements } from "./api.js";
import { withLetters } from "./candidates.js";
import { FILTERS, createView } from "./view.js";
import { createSelection } from "./selection.js";
import { WORDS } from "./tile.js";

/**
 * Return the desk.
 *
 * @param {object} parts
 * @param {string} parts.annotator Who works.
 * @param {object} parts.letters See letters.js.
 * @param {object} parts.exchange See exchange.js.
 * @param {string} parts.filter The filter to begin with.
 * @param {boolean} parts.advance Whether the cursor moves on after a decision.
 * @param {object} parts.on `view()`: another list is shown; `change()`: cursor, selection or
 *     letters changed; `say(sentence)`; `tell(sentence)`; `failed(sentence)`.
 */
export function createDesk({ annotator, letters, exchange, filter, advance, on }) {
  const columnsOf = new Map();
  const imageOf = new Map();
  const selection = createSelection();
  let view = null;
  let openings = 0;
  let stepsShown = Promise.resolve();

  /** Open a class, or the disagreements (null), at `image` or where one was. */
  async function open(classIndex, image = null) {
    openings += 1;
    const opening = openings;
    leave();
    const known = columnsOf.get(classIndex);
    if (known) enter(classIndex, known, image);
    const columns = await load(classIndex);
    if (opening !== openings || !columns) return;
    if (known) renew(columns);
    else enter(classIndex, columns, image);
  }

  async function load(classIndex) {
    const asked = letters.asked();
    try {
      const columns = await exchange.patiently(() => ask(classIndex));
      letters.load(columns, asked);
      if (classIndex !== null) columnsOf.set(classIndex, columns);
      return columns;
    } catch (error) {
      on.failed(error.message);
      return null;
    }
  }

  async function ask(classIndex) {
    if (classIndex !== null) return getClass(classIndex, annotator);
    return withLetters(await getDisagreements(annotator), annotator);
  }

  function leave() {
    if (view) imageOf.set(view.classIndex, view.current());
    selection.clear();
  }

  function enter(classIndex, columns, image) {
    const ownFilter = classIndex === null ? "all" : filter;
    view = createView({ classIndex, columns, letters, filter: ownFilter });
    const before = image ?? imageOf.get(classIndex) ?? null;
    if (before === null || !view.seek(before)) view.seekUndecided();
    on.view();
  }

  function renew(columns) {
    view.replace(columns);
    selection.retain(view);
    on.view();
  }

  /** Load the view anew, without losing one's place: others have changed something. */
  async function reload() {
    const opening = openings;
    const columns = await load(view.classIndex);
    if (opening === openings && columns) renew(columns);
  }

  /** Move the cursor to `index`, selecting everything from the anchor on if `extend`. */
  function moveTo(index, extend = false) {
    if (!view.count()) return;
    const from = view.index();
    view.moveTo(index);
    if (extend) selection.extend(view, from, view.index());
    else selection.clear();
    on.change();
  }

  /** Take a click on `image`. */
  function pick(image, { extend, add }) {
    const index = view.indexOf(image);
    if (!add) return moveTo(index, extend);
    selection.toggle(image, view.current());
    view.moveTo(index);
    return on.change();
  }

  function selectAll() {
    selection.all(view);
    on.change();
    on.tell(`${selection.size()} selected.`);
  }

  function unselect() {
    selection.clear();
    on.change();
  }

  /** Decide on what is selected or, with `onlyOne` or no selection, on the current image. */
  function decide(decision, { onlyOne = false } = {}) {
    if (!view.count()) return;
    const images = selection.size() && !onlyOne ? selection.inOrder(view) : [view.current()];
    send(images, decision);
    selection.clear();
    if (advance) view.moveTo(view.indexOf(images.at(-1)) + 1);
    on.change();
  }

  /** Decide on `image` with its own button. Nothing moves away under the pointer. */
  function decideAt(image, decision) {
    selection.clear();
    view.seek(image);
    send([image], decision);
    on.change();
  }

  function send(images, decision) {
    const action = view.classIndex === null ? "settle" : "decide";
    exchange.act({ action, images, decision, class: view.classIndex });
  }

  /** Take back the last decision ("undo"), or do it again ("redo"). */
  function step(action) {
    exchange.act({ action, class: view.classIndex });
  }

  /** Show what the server answered to an action. */
  function takeAnswer(action, answer) {
    if (!view) return;
    view.refresh();
    selection.retain(view);
    if (action.action === "undo" || action.action === "redo") {
      // One after the other: each may have to load a class, and the last one is where one ends up.
      stepsShown = stepsShown.then(() => showStep(action, answer));
    } else {
      on.change();
      if (answer.images.length && action.action !== "open") on.say(`${sentenceOn(answer.images)}.`);
    }
  }

  async function showStep(action, answer) {
    const done = action.action === "undo" ? "Undone" : "Done again";
    const isShown = answer.images.length > 0 && (await jump(classOf(answer), answer.images[0]));
    on.change();
    const hidden = isShown ? "" : " It is not among the shown ones.";
    on.tell(`${done}: ${sentenceOn(answer.images)}.${hidden}`);
  }

  /** The class to look at; a decision that was not taken on the page has none. */
  function classOf(answer) {
    return answer.of === "settle" ? null : (answer.class ?? view.classIndex);
  }

  /** Put the cursor on `image`, in another class if need be; return whether the filter shows it. */
  async function jump(classIndex, image) {
    if (view.classIndex !== classIndex) await open(classIndex, image);
    const isShown = view.seek(image);
    on.change();
    return isShown;
  }

  /** Go back to what the server refused to save. */
  function takeRefusal(action) {
    if (!view) return;
    if (action.images.length) jump(action.class, action.images[0]);
    else on.change();
  }

  function sentenceOn(images) {
    if (images.length !== 1) return `${images.length} images`;
    const [image] = images;
    if (view.classIndex === null) return `image ${WORDS[letters.final(image)]}`;
    const name = view.has(image) ? `rank ${view.rankOf(image)}` : "image";
    return `${name} ${WORDS[letters.own(image)]}`;
  }

  /** Set the filter, or go to the one after the current one. */
  function setFilter(name = filterAfter(filter)) {
    filter = name;
    if (view.classIndex === null) return;
    view.setFilter(name);
    selection.retain(view);
    on.view();
    on.tell(`Filter: ${FILTERS[name].label}. ${view.count()} shown.`);
  }

  return {
    view: () => view,
    selection,
    filter: () => filter,
    advance: () => advance,
    setAdvance: (value) => (advance = value),
    /** The loaded classes that rank `image`, with its place and score there. */
    ranksOf: (image) => [...columnsOf].flatMap(([classIndex, { images, scores }]) => {
      const place = images.indexOf(image);
      return place < 0 ? [] : [{ classIndex, rank: place + 1, score: scores[place] }];
    }),
    open,
    reload,
    moveTo,
    pick,
    selectAll,
    unselect,
    decide,
    decideAt,
    step,
    takeAnswer,
    takeRefusal,
    setFilter,
  };
}

function filterAfter(name) {
  const names = Object.keys(FILTERS);
  return names[(names.indexOf(name) + 1) % names.length];
}
