/**
 * A view: the candidates of one class, or the disagreements, as a filtered list with a cursor.
 *
 * `place` counts in the ranking, `index` in what the filter shows of it. The cursor is kept as a
 * place, so that an image that leaves the list hands the cursor to the one that follows it.
 */

/** The filters, in the order in which the key goes through them. */
export const FILTERS = {
  all: { label: "All", passes: () => true },
  undecided: { label: "Undecided by me", passes: (own) => own === "-" },
  untouched: { label: "Undecided by anybody", passes: (own, final) => final === "-" },
  kept: { label: "Kept by me", passes: (own) => own === "k" },
  rejected: { label: "Rejected by me", passes: (own) => own === "r" },
};

/**
 * Return a view of `columns`.
 *
 * @param {object} parts
 * @param {number|null} parts.classIndex The class; null for the disagreements.
 * @param {object} parts.columns As the server sent them.
 * @param {object} parts.letters See letters.js.
 * @param {string} parts.filter A key of `FILTERS`.
 */
export function createView({ classIndex, columns, letters, filter }) {
  let passes = FILTERS[filter].passes;
  let placeOf = placesOf(columns);
  let shown = [];
  let cursor = 0;

  /** Filter anew; the cursor stays on its image or, if that is gone, on its successor. */
  function refresh() {
    shown = [];
    columns.images.forEach((image, place) => {
      if (passes(letters.own(image), letters.final(image))) shown.push(place);
    });
    if (shown.length) cursor = shown[nearestIndex(cursor)];
  }

  /** The index of the first shown place that is `place` or later; the last one if none is. */
  function nearestIndex(place) {
    let low = 0;
    let high = shown.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown[middle] < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function setFilter(name) {
    passes = FILTERS[name].passes;
    refresh();
  }

  /** Take newer columns, keeping the cursor on its image. */
  function replace(newColumns) {
    const image = columns.images[cursor];
    columns = newColumns;
    placeOf = placesOf(columns);
    cursor = placeOf.get(image) ?? Math.min(cursor, Math.max(0, columns.images.length - 1));
    refresh();
  }

  /** Put the cursor on the shown candidate `index`, clamped to the list. */
  function moveTo(index) {
    if (!shown.length) return;
    cursor = shown[Math.max(0, Math.min(index, shown.length - 1))];
  }

  /** Put the cursor on `image` or as near as the filter allows; return whether it is shown. */
  function seek(image) {
    if (!placeOf.has(image)) return false;
    cursor = placeOf.get(image);
    if (!shown.length) return false;
    cursor = shown[nearestIndex(cursor)];
    return columns.images[cursor] === image;
  }

  /** Put the cursor on the first candidate that one has not decided, if there is one. */
  function seekUndecided() {
    const index = shown.findIndex((place) => isOpen(columns.images[place]));
    moveTo(Math.max(0, index));
  }

  function isOpen(image) {
    return classIndex === null ? letters.final(image) === "d" : letters.own(image) === "-";
  }

  refresh();
  return {
    classIndex,
    columns: () => columns,
    count: () => shown.length,
    index: () => nearestIndex(cursor),
    current: () => (shown.length ? columns.images[cursor] : null),
    imageAt: (index) => columns.images[shown[index]],
    placeAt: (index) => shown[index],
    images: () => shown.map((place) => columns.images[place]),
    indexOf: (image) => {
      const index = nearestIndex(placeOf.get(image));
      return columns.images[shown[index]] === image ? index : -1;
    },
    has: (image) => placeOf.has(image),
    rankOf: (image) => placeOf.get(image) + 1,
    refresh,
    setFilter,
    replace,
    moveTo,
    seek,
    seekUndecided,
  };
}

function placesOf(columns) {
  return new Map(columns.images.map((image, place) => [image, place]));
}
