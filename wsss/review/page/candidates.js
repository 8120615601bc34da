/** What is shown and said of a candidate: the one description that tiles and loupe share. */

import { LETTER_OF } from "./letters.js";
import { WORDS } from "./tile.js";

/**
 * Return `describe(view, index)`, which describes the candidate at `index` of a view.
 *
 * @param {object} parts
 * @param {string[]} parts.classNames All classes in the server's order.
 * @param {object} parts.letters See letters.js.
 * @param {object} parts.selection See selection.js.
 * @param {string} parts.annotator Who looks.
 */
export function createDescriber({ classNames, letters, selection, annotator }) {
  return function describe(view, index) {
    const place = view.placeAt(index);
    const image = view.imageAt(index);
    const pending = letters.pending(image);
    const factsOf = view.classIndex === null ? disagreementFacts : rankFacts;
    const facts = factsOf(view, place, image);
    const isSelected = selection.has(image);
    const isCurrent = image === view.current();
    const state = pending === null ? WORDS[facts.letter] : `saving, not yet ${WORDS[pending]}`;
    return {
      ...facts,
      image,
      imageId: view.columns().ids[place],
      own: letters.own(image),
      final: letters.final(image),
      pending,
      isCurrent,
      isSelected,
      position: index + 1,
      count: view.count(),
      label: [facts.name, state, ...(isSelected ? ["selected"] : [])].join(", "),
    };
  };

  function rankFacts(view, place, image) {
    const { images, scores } = view.columns();
    const score = scores[place].toFixed(3);
    return {
      title: `#${place + 1}`,
      detail: score,
      shortName: `rank ${place + 1}`,
      name: `Rank ${place + 1} of ${images.length}, score ${score}`,
      letter: letters.own(image),
      votes: [],
    };
  }

  function disagreementFacts(view, place, image) {
    const { ids, classes, scores } = view.columns();
    const ranked = classes[place].map(
      (number, nth) => `${classNames[number]} ${scores[place][nth].toFixed(3)}`,
    );
    const votes = view.columns().votes[place].map(([who, decision]) => `${who}: ${decision}`);
    const settler = settlerOf(view.columns().settled[place], letters.final(image), annotator);
    if (settler) votes.push(settler);
    return {
      title: classes[place].map((number) => classNames[number]).join(", "),
      detail: "",
      shortName: `image ${ids[place]}`,
      name: [`Image ${ids[place]}`, `ranked for ${ranked.join(" and ")}`, ...votes].join(", "),
      letter: letters.final(image),
      votes,
    };
  }
}

/** Return who settled a disagreement how, or null. `told` is what the server said at loading. */
function settlerOf(told, letter, annotator) {
  if (letter !== "k" && letter !== "r") return null;
  const isTold = told !== null && LETTER_OF[told[1]] === letter;
  return `settled by ${isTold ? told[0] : annotator}: ${letter === "k" ? "keep" : "reject"}`;
}

/** Return the disagreements with the letters that a class's columns have. */
export function withLetters(columns, annotator) {
  const own = columns.votes.map((votes) => {
    const vote = votes.find(([who]) => who === annotator);
    return vote ? LETTER_OF[vote[1]] : "-";
  });
  const final = columns.settled.map((settled) => (settled === null ? "d" : LETTER_OF[settled[1]]));
  return { ...columns, own, final };
}
