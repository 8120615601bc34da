/**
 * The grid: a virtual list of tiles. Only what can be seen, and a little more, is in the document.
 *
 * Tiles keep their image while it is in sight and are recycled afterwards. They stand in ranking
 * order in the document too, and the current one always stays, so that the focus never moves by
 * itself.
 */

import { assignTile, createTile, fillTile } from "./tile.js";

const GAP = 10;

/** In a low window, tiles are no wider than lets one be seen whole; but not narrower than this. */
const SMALLEST = 112;

/** About the height of a tile below its picture, and the picture's height by width (style.css). */
const UNDER_PICTURE = 80;
const PICTURE_SHAPE = 0.72;

/** Rows kept above and below what is seen. */
const SPARE_ROWS = 2;

/** Browsers lay out no element much higher than this; longer lists are scrolled in proportion. */
const HIGHEST = 15_000_000;

/** Faster than this, in pixels per millisecond, is a rush. */
const RUSH_SPEED = 3;

/**
 * Return the grid.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.scroller What scrolls.
 * @param {HTMLElement} parts.list The list inside it.
 * @param {object} parts.thumbnails See thumbnails.js.
 * @param {(view: object, index: number) => object} parts.describe See candidates.js.
 * @param {object} parts.on `pick(image, event)`, `open(image)`, `decide(image, decision)`.
 */
export function createGrid({ scroller, list, thumbnails, describe, on }) {
  const tiles = new Map();
  const pool = [];
  let view = null;
  let wantedWidth = 0;
  let columns = 1;
  let tileWidth = 0;
  let rowHeight = 1;
  let top = 0;
  let drawnAt = 0;
  // As drawn last: the current image, where its row begins, how high the window was, the first row.
  let drawn = { current: null, rowTop: 0, height: 0, firstRow: -1 };

  function show(newView) {
    view = newView;
    layOut();
    reveal();
  }

  function setTileWidth(width) {
    wantedWidth = width;
    if (view) keepingPlace(layOut);
  }

  function layOut() {
    const width = list.clientWidth;
    const fitting = Math.max(SMALLEST, (scroller.clientHeight - UNDER_PICTURE) / PICTURE_SHAPE);
    columns = Math.max(1, Math.floor((width + GAP) / (Math.min(wantedWidth, fitting) + GAP)));
    tileWidth = Math.floor((width - GAP * (columns - 1)) / columns);
    list.style.setProperty("--tile-width", `${tileWidth}px`);
    rowHeight = measureTile() + GAP;
    setHeight();
  }

  function measureTile() {
    const probe = pool.pop() ?? createTile(thumbnails);
    if (view.count()) fillTile(probe, describe(view, 0));
    list.append(probe.element);
    const height = probe.element.offsetHeight;
    probe.element.remove();
    pool.push(probe);
    return height;
  }

  function setHeight() {
    list.style.height = `${Math.min(fullHeight(), HIGHEST)}px`;
  }

  const fullHeight = () => Math.ceil(view.count() / columns) * rowHeight;

  /** Full-length pixels per scrolled pixel; 1 but for the longest lists. */
  function stretch() {
    const seen = scroller.clientHeight;
    return Math.max(1, (fullHeight() - seen) / (Math.min(fullHeight(), HIGHEST) - seen));
  }

  /** Draw what is to be seen now. */
  function draw() {
    noteSpeed(scroller.scrollTop * stretch());
    const shift = scroller.scrollTop - top;
    const wanted = wantedIndexes();
    const hadFocus = list.contains(document.activeElement);
    recycleAllBut(new Set(wanted.map(view.imageAt)));
    let next = list.firstElementChild;
    for (const index of wanted) {
      const tile = tileOf(view.imageAt(index));
      fillTile(tile, describe(view, index));
      put(tile, index, shift);
      if (tile.element === next) next = next.nextElementSibling;
      else list.insertBefore(tile.element, next);
    }
    noteDrawn();
    if (hadFocus && !list.contains(document.activeElement)) focus();
  }

  function noteDrawn() {
    drawn = {
      current: view.current(),
      rowTop: Math.floor(view.index() / columns) * rowHeight,
      height: scroller.clientHeight,
      firstRow: firstRow(),
    };
  }

  /** Whether the current tile, where it was drawn last, is in sight now. */
  function isCurrentSeen() {
    const seenTop = scroller.scrollTop * stretch();
    return drawn.rowTop + rowHeight > seenTop && drawn.rowTop < seenTop + drawn.height;
  }

  const firstRow = () => Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);

  /** Draw what scrolling brought into sight; mostly that is nothing new. */
  function drawScrolled() {
    if (!view) return;
    noteSpeed(scroller.scrollTop * stretch());
    if (firstRow() !== drawn.firstRow || stretch() > 1) draw();
  }

  function noteSpeed(newTop) {
    const distance = Math.abs(newTop - top);
    if (distance === 0) return;
    const elapsed = Math.max(performance.now() - drawnAt, 16);
    const isFar = distance > scroller.clientHeight * 0.7;
    if (isFar || distance / elapsed > RUSH_SPEED) thumbnails.rush();
    top = newTop;
    drawnAt = performance.now();
  }

  function wantedIndexes() {
    const lastRow = Math.ceil((top + scroller.clientHeight) / rowHeight) + SPARE_ROWS;
    const last = Math.min(view.count(), lastRow * columns);
    const indexes = [];
    for (let index = firstRow() * columns; index < last; index += 1) indexes.push(index);
    const current = view.index();
    if (view.count() && !(current >= indexes[0] && current < last)) indexes.push(current);
    fetchAhead(last);
    return indexes.sort((a, b) => a - b);
  }

  function fetchAhead(last) {
    const end = Math.min(view.count(), last + columns * rowsSeen());
    const images = [];
    for (let index = last; index < end; index += 1) images.push(view.imageAt(index));
    thumbnails.fetchAhead(images);
  }

  function recycleAllBut(images) {
    for (const [image, tile] of tiles) {
      if (images.has(image)) continue;
      tiles.delete(image);
      thumbnails.drop(tile.image);
      tile.element.remove();
      pool.push(tile);
    }
  }

  function tileOf(image) {
    const standing = tiles.get(image);
    if (standing) return standing;
    const tile = pool.pop() ?? createTile(thumbnails);
    assignTile(tile, image, thumbnails);
    tiles.set(image, tile);
    return tile;
  }

  function put(tile, index, shift) {
    const x = (index % columns) * (tileWidth + GAP);
    const y = Math.floor(index / columns) * rowHeight + shift;
    const transform = `translate(${x}px, ${Math.round(y)}px)`;
    if (tile.transform === transform) return;
    tile.transform = transform;
    tile.element.style.transform = transform;
  }

  const rowsSeen = () => Math.max(1, Math.floor(scroller.clientHeight / rowHeight));

  /** Draw again after a change. Who has scrolled away from the current tile is left in peace. */
  function refresh() {
    const follows = isCurrentSeen() || view.current() !== drawn.current;
    setHeight();
    if (follows) reveal();
    else draw();
  }

  /** Bring the current tile into sight. */
  function reveal() {
    const rowTop = Math.floor(view.index() / columns) * rowHeight;
    const rowBottom = rowTop + rowHeight;
    const factor = stretch();
    const seenTop = scroller.scrollTop * factor;
    if (rowTop < seenTop) scroller.scrollTop = rowTop / factor;
    else if (rowBottom > seenTop + scroller.clientHeight) {
      // Where a row does not fit, its top is what matters: the pictures.
      scroller.scrollTop = Math.min(rowTop, rowBottom - scroller.clientHeight) / factor;
    }
    draw();
  }

  /** Give the focus to the current tile, unless one of its buttons has it. */
  function focus() {
    const tile = tiles.get(view?.current());
    if (tile && !tile.element.contains(document.activeElement)) {
      tile.picture.focus({ preventScroll: true });
    }
  }

  /** Run `change` so that the current tile stays in sight, or else what was seen first. */
  function keepingPlace(change) {
    const wasSeen = isCurrentSeen();
    const first = Math.ceil(top / rowHeight) * columns;
    change();
    if (wasSeen) {
      reveal();
      return;
    }
    scroller.scrollTop = (Math.floor(first / columns) * rowHeight) / stretch();
    draw();
  }

  listen({ scroller, list, on, redraw: drawScrolled });
  new ResizeObserver(() => view && keepingPlace(layOut)).observe(scroller);

  return {
    show,
    setTileWidth,
    refresh,
    reveal,
    focus,
    columns: () => columns,
    rowsSeen,
    frameOf: (image) => tiles.get(image)?.frame,
  };
}

function listen({ scroller, list, on, redraw }) {
  let isAsked = false;
  scroller.addEventListener("scroll", () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      redraw();
    });
  }, { passive: true });
  list.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    const button = event.target.closest("button");
    if (!button) return;
    const image = Number(tile.dataset.image);
    if (button.className === "picture") on.pick(image, event);
    else on.decide(image, button.className);
  });
  list.addEventListener("dblclick", (event) => {
    const tile = event.target.closest(".picture")?.closest(".tile");
    if (tile) on.open(Number(tile.dataset.image));
  });
}
