/** The images that are selected in the grid, beyond the current one. */

/** Return an empty selection. */
export function createSelection() {
  let images = new Set();
  let anchor = null;

  function clear() {
    images = new Set();
    anchor = null;
  }

  /** Select all from the anchor (or `from`, where a range begins) to `to`. */
  function extend(view, from, to) {
    if (anchor === null || view.indexOf(anchor) < 0) anchor = view.imageAt(from);
    const [first, last] = [view.indexOf(anchor), to].sort((a, b) => a - b);
    images = new Set();
    for (let index = first; index <= last; index += 1) images.add(view.imageAt(index));
  }

  /** Add or remove `image`. The current image counts as selected from the start. */
  function toggle(image, current) {
    if (!images.size && current !== null && current !== image) images.add(current);
    if (!images.delete(image)) images.add(image);
    anchor = image;
  }

  function all(view) {
    images = new Set(view.images());
    anchor = view.current();
  }

  /** Drop what the view no longer shows. */
  function retain(view) {
    if (!images.size) return;
    images = new Set(view.images().filter((image) => images.has(image)));
  }

  return {
    has: (image) => images.has(image),
    size: () => images.size,
    /** The selected images in the order of the view. */
    inOrder: (view) => view.images().filter((image) => images.has(image)),
    clear,
    extend,
    toggle,
    all,
    retain,
  };
}
