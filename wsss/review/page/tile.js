/** One tile of the grid: picture, rank, score, mark and two buttons. Tiles are recycled. */

import { asSentence } from "./notices.js";
import { markFirstPicture } from "./thumbnails.js";

const MARKS = {
  k: { sign: "✓", word: "kept" },
  r: { sign: "✕", word: "rejected" },
  d: { sign: "≠", word: "they differ" },
  "-": { sign: "", word: "" },
};

/** What a letter is called in sentences. */
export const WORDS = { k: "kept", r: "rejected", d: "not settled", "-": "undecided" };

/** What a letter is called while it is being saved. */
const SAVING = { k: "saving: keep", r: "saving: reject", "-": "saving: unmark" };

/** Fill the element of a mark from the shown letter and the one being saved (or null). */
export function fillMark(element, letter, pending) {
  const { sign, word } = pending === null ? MARKS[letter] : { sign: "…", word: SAVING[pending] };
  element.dataset.mark = pending === null ? letter : "pending";
  element.hidden = word === "";
  element.replaceChildren(hiddenFromReaders(sign), ` ${word}`);
}

/** Return a new, empty tile. `thumbnails` loads its picture. */
export function createTile(thumbnails) {
  const element = document.createElement("li");
  element.className = "tile";
  const picture = makeButton("picture");
  const frame = make("span", "frame");
  const image = document.createElement("img");
  image.alt = "";
  image.decoding = "async";
  image.draggable = false;
  const failure = make("span", "failure");
  failure.hidden = true;
  frame.append(image, failure);
  const mark = make("span", "mark");
  const tick = make("span", "tick");
  tick.append(hiddenFromReaders("●"), " selected");
  const caption = make("span", "caption");
  const title = make("span", "title");
  const detail = make("span", "detail");
  caption.append(title, detail);
  picture.append(frame, mark, tick, caption);
  const votes = make("ul", "votes");
  const reject = makeButton("reject");
  reject.append(hiddenFromReaders("✕"), " Reject");
  const keep = makeButton("keep");
  keep.append(hiddenFromReaders("✓"), " Keep");
  const choices = make("div", "choices");
  choices.append(reject, keep);
  element.append(picture, votes, choices);

  const parts = { picture, frame, image, failure, mark, tick, title, detail, votes, reject, keep };
  const tile = { element, ...parts };
  watchPicture(tile, thumbnails);
  return tile;
}

/** Give the tile to another image: its picture starts to load. */
export function assignTile(tile, imageNumber, thumbnails) {
  tile.imageNumber = imageNumber;
  tile.element.dataset.image = imageNumber;
  tile.signature = "";
  tile.failure.hidden = true;
  tile.image.classList.remove("loaded");
  thumbnails.show(tile.image, imageNumber);
}

/** Show a candidate as described (see `describe` in candidates.js) in the tile. */
export function fillTile(tile, candidate) {
  const signature = JSON.stringify(candidate);
  if (signature === tile.signature) return;
  tile.signature = signature;
  fillAttributes(tile.element, candidate);
  tile.picture.tabIndex = tile.reject.tabIndex = tile.keep.tabIndex = candidate.isCurrent ? 0 : -1;
  tile.picture.setAttribute("aria-label", candidate.label);
  tile.title.textContent = candidate.title;
  tile.detail.textContent = candidate.detail;
  tile.tick.hidden = !candidate.isSelected;
  fillMark(tile.mark, candidate.letter, candidate.pending);
  fillChoice(tile.reject, "Reject", "r", candidate);
  fillChoice(tile.keep, "Keep", "k", candidate);
  fillVotes(tile.votes, candidate.votes);
}

function fillAttributes(element, candidate) {
  Object.assign(element.dataset, {
    own: candidate.own,
    final: candidate.final,
    pending: String(candidate.pending !== null),
    current: String(candidate.isCurrent),
    selected: String(candidate.isSelected),
    letter: candidate.letter,
  });
  element.setAttribute("aria-posinset", candidate.position);
  element.setAttribute("aria-setsize", candidate.count);
}

function fillChoice(button, word, letter, candidate) {
  button.setAttribute("aria-label", `${word} ${candidate.shortName}`);
  button.setAttribute("aria-pressed", String(candidate.letter === letter));
}

function fillVotes(list, votes) {
  list.hidden = votes.length === 0;
  list.replaceChildren(...votes.map((vote) => {
    const row = document.createElement("li");
    row.textContent = vote;
    return row;
  }));
}

function watchPicture(tile, thumbnails) {
  tile.image.addEventListener("load", () => {
    tile.frame.style.setProperty("--ratio", tile.image.naturalWidth / tile.image.naturalHeight);
    tile.image.classList.add("loaded");
    markFirstPicture(tile.image);
  });
  tile.image.addEventListener("error", async () => {
    const asked = tile.imageNumber;
    const sentence = await thumbnails.whyNot(asked);
    if (tile.imageNumber !== asked) return;
    tile.failure.textContent = asSentence(sentence);
    tile.failure.hidden = false;
  });
}

function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

function makeButton(className) {
  const button = make("button", className);
  button.type = "button";
  return button;
}

function hiddenFromReaders(sign) {
  const span = document.createElement("span");
  span.setAttribute("aria-hidden", "true");
  span.textContent = sign;
  return span;
}
