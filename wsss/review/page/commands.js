/** What each command does, whether a key, a button or a finger gave it. */

import { readSetting, writeSetting } from "./settings.js";

/** Widths of thumbnails in pixels, from small to large. */
const WIDTHS = [112, 136, 164, 196, 236, 284, 340];
const FIRST_WIDTH = 2;

/** Images that Page Up and Page Down pass in the loupe. */
const LOUPE_PAGE = 10;

/**
 * Return a function per command of keys.js. Each takes whether it selects a range.
 *
 * @param {object} parts Desk, screen, milestones, sheet and notices (see their modules), and
 *     `classCount`, the number of classes.
 */
export function createCommands({ desk, screen, milestones, sheet, notices, classCount }) {
  const inLoupe = () => screen.loupe.isOpen();
  const page = () => screen.grid.columns() * screen.grid.rowsSeen();
  const decide = (decision) => () => desk.decide(decision, { onlyOne: inLoupe() });

  /** A move by `inGrid()` candidates in the grid, and by `alone` in the loupe. */
  const move = (inGrid, alone) => (extend) => {
    const index = desk.view().index();
    if (inLoupe()) desk.moveTo(index + alone);
    else desk.moveTo(index + inGrid(), extend);
  };

  /** One row up or down; from the first row and the last one there is nowhere to go. */
  const moveRow = (direction) => move(() => {
    const step = direction * screen.grid.columns();
    return isInList(desk.view().index() + step) || isRowBelow(step) ? step : 0;
  }, direction);

  const isInList = (index) => index >= 0 && index < desk.view().count();

  /** Whether the last row is below but shorter: then its last candidate is the goal. */
  function isRowBelow(step) {
    const columns = screen.grid.columns();
    const rowOf = (index) => Math.floor(index / columns);
    return step > 0 && rowOf(desk.view().index()) < rowOf(desk.view().count() - 1);
  }

  function classAt(step) {
    const current = desk.view().classIndex ?? (step > 0 ? -1 : 0);
    return (current + step + classCount) % classCount;
  }

  function changeWidth(step) {
    const wanted = readSetting("width", FIRST_WIDTH) + step;
    const width = Math.max(0, Math.min(wanted, WIDTHS.length - 1));
    writeSetting("width", width);
    screen.grid.setTileWidth(WIDTHS[width]);
  }

  function toggleAdvance() {
    const isOn = !desk.advance();
    desk.setAdvance(isOn);
    screen.showAdvance();
    writeSetting("advance", isOn);
    notices.tell(`Auto-advance is ${isOn ? "on" : "off"}.`);
  }

  return {
    reject: decide("reject"),
    keep: decide("keep"),
    unmark: decide(""),
    undo: () => desk.step("undo"),
    redo: () => desk.step("redo"),
    left: move(() => -1, -1),
    right: move(() => 1, 1),
    up: moveRow(-1),
    down: moveRow(1),
    pageUp: move(() => -page(), -LOUPE_PAGE),
    pageDown: move(page, LOUPE_PAGE),
    first: (extend) => desk.moveTo(0, extend && !inLoupe()),
    last: (extend) => desk.moveTo(desk.view().count() - 1, extend && !inLoupe()),
    nextClass: () => desk.open(milestones.proposed() ?? classAt(1)),
    previousClass: () => desk.open(classAt(-1)),
    selectAll: () => inLoupe() || desk.selectAll(),
    loupe: () => (inLoupe() ? screen.closeLoupe() : screen.openLoupe()),
    back: () => (inLoupe() ? screen.closeLoupe() : desk.unselect()),
    overlay: () => screen.toggleMap(),
    filter: () => desk.setFilter(),
    disagreements: () => screen.hasDisagreements() && desk.open(null),
    smaller: () => changeWidth(-1),
    larger: () => changeWidth(1),
    sameWidth: () => changeWidth(0),
    advance: toggleAdvance,
    help: () => sheet.open(),
  };
}
