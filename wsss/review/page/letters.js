/**
 * What is known of each image: one's own decision, the outcome of all, and what is being saved.
 *
 * Letters are the server's: k keep, r reject, - undecided, and d (annotators differ) in outcomes.
 * They belong to the image, so a decision shows in every class that the image is ranked for.
 */

/** The letter of each decision as it is sent. */
export const LETTER_OF = { keep: "k", reject: "r", "": "-" };

/** Return the letters of `count` images, all undecided. */
export function createLetters(count) {
  const own = new Array(count).fill("-");
  const final = new Array(count).fill("-");
  const unsaved = new Map();
  const history = [];

  function apply(changed) {
    for (const [image, ownLetter, finalLetter] of changed) {
      own[image] = ownLetter;
      final[image] = finalLetter;
      history.push([image, ownLetter, finalLetter]);
    }
  }

  /** Take over a class's columns, asked for when `history` was `asked` long. */
  function load(columns, asked) {
    columns.images.forEach((image, place) => {
      own[image] = columns.own[place];
      final[image] = columns.final[place];
    });
    // What was answered meanwhile may be newer than the columns.
    for (const [image, ownLetter, finalLetter] of history.slice(asked)) {
      own[image] = ownLetter;
      final[image] = finalLetter;
    }
  }

  /** Remember that `action` is on its way for its images. */
  function expect(action) {
    for (const image of action.images) {
      unsaved.set(image, [...(unsaved.get(image) ?? []), action]);
    }
  }

  /** Forget `action`: it was answered. */
  function settle(action) {
    for (const image of action.images) {
      const left = (unsaved.get(image) ?? []).filter((other) => other !== action);
      if (left.length) unsaved.set(image, left);
      else unsaved.delete(image);
    }
  }

  return {
    own: (image) => own[image],
    final: (image) => final[image],
    /** The letter being saved for an image, or null. */
    pending: (image) => {
      const actions = unsaved.get(image);
      return actions ? LETTER_OF[actions.at(-1).decision] : null;
    },
    asked: () => history.length,
    apply,
    load,
    expect,
    settle,
  };
}
