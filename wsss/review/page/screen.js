/** The screen: shows what the desk holds, in grid, loupe, account and navigation. */

import { showAccount, showAgreement, showTotal } from "./account.js";
import { createClassChoice } from "./classes.js";
import { createGrid } from "./grid.js";
import { createLoupe } from "./loupe.js";
import { createOverlay } from "./overlay.js";
import { createTask } from "./task.js";
import { createThumbnails } from "./thumbnails.js";
import { FILTERS } from "./view.js";

const SETTLING = "Annotators differ on these images. Is a foreground object in them?";

/**
 * Return the screen.
 *
 * @param {object} parts
 * @param {object} parts.review What the server sent first.
 * @param {object} parts.bindings See keys.js.
 * @param {object} parts.notices See notices.js.
 * @param {object} parts.desk See desk.js.
 * @param {(view: object, index: number) => object} parts.describe See candidates.js.
 * @param {(command: string) => void} parts.run Runs a command.
 */
export function createScreen({ review, bindings, notices, desk, describe, run }) {
  const byId = (id) => document.getElementById(id);
  const classNames = review.classes.map(({ name }) => name);
  const gridOverlay = createOverlay(review.version, notices.say);
  let status = review.status;
  let mappedImage = null;

  const grid = createGrid({
    scroller: byId("scroller"),
    list: byId("grid"),
    thumbnails: createThumbnails(review.version),
    describe,
    on: { pick, open: openLoupe, decide: desk.decideAt },
  });
  const loupe = createLoupe({
    root: byId("loupe"),
    behind: byId("app"),
    version: review.version,
    overlay: createOverlay(review.version, notices.say),
    run,
  });
  const task = createTask({ question: byId("question"), help: byId("help"), bindings });
  const choice = createClassChoice({
    list: byId("classes"),
    select: byId("class-select"),
    disagreements: byId("disagreements"),
    names: classNames,
    onChoose: desk.open,
  });

  function pick(image, event) {
    const isSecondTap = event.pointerType === "touch" && image === desk.view().current();
    if (isSecondTap) return openLoupe(image);
    return desk.pick(image, { extend: event.shiftKey, add: event.ctrlKey || event.metaKey });
  }

  /** Show another list. */
  function showView() {
    const view = desk.view();
    const isSettling = view.classIndex === null;
    byId("filter").value = isSettling ? "all" : desk.filter();
    byId("filter").disabled = isSettling;
    byId("grid").style.setProperty("--votes", isSettling ? mostVotes(view.columns()) + 1 : 0);
    choice.showCurrent(view.classIndex);
    grid.show(view);
    showStatus(status);
    showChange();
  }

  /** Show the cursor, the selection and the letters as they are now. */
  function showChange() {
    const view = desk.view();
    if (mappedImage !== view.current()) takeGridMap();
    grid.refresh();
    const isSettling = view.classIndex === null;
    task.show(question(), { selected: desk.selection.size(), isSettling });
    showEmpty(view);
    if (loupe.isOpen()) showInLoupe(view);
    else if (document.activeElement === document.body) grid.focus();
    else if (byId("grid").contains(document.activeElement)) grid.focus();
  }

  const question = () => review.classes[desk.view().classIndex]?.question ?? SETTLING;

  function showEmpty(view) {
    byId("empty").hidden = view.count() > 0;
    if (view.count()) return;
    const isAll = view.classIndex === null || desk.filter() === "all";
    byId("empty").querySelector("p").textContent = isAll ? nothingIn(view) : nothingLeft(view);
    byId("show-all").hidden = isAll;
  }

  const nothingIn = ({ classIndex }) =>
    classIndex === null ? "No disagreements." : "This class has no candidates.";

  const nothingLeft = ({ classIndex }) =>
    `Nothing is left under “${FILTERS[desk.filter()].label}” in ${classNames[classIndex]}.`;

  function showInLoupe(view) {
    if (!view.count()) {
      closeLoupe();
      return;
    }
    const index = view.index();
    const isInList = (other) => other >= 0 && other < view.count();
    loupe.show(describe(view, index), {
      question: question(),
      ranked: rankedText(view.current()),
      mapClass: mapClass(),
      neighbours: [index + 1, index - 1].filter(isInList).map(view.imageAt),
    });
  }

  function rankedText(image) {
    const words = desk.ranksOf(image).map(
      ({ classIndex, rank, score }) => `${classNames[classIndex]} #${rank} (${score.toFixed(3)})`,
    );
    return words.length ? `ranked for ${words.join(", ")}` : "";
  }

  function openLoupe(image) {
    if (!desk.view().count()) return;
    takeGridMap();
    desk.view().seek(image ?? desk.view().current());
    loupe.open();
    showChange();
  }

  function closeLoupe() {
    loupe.close();
    grid.refresh();
    grid.focus();
  }

  /** Show or take away the map of the current picture. */
  function toggleMap() {
    const image = desk.view().current();
    if (!review.has_maps) notices.tell("There are no maps: the classifier is not at hand.");
    else if (image === null) return;
    else if (loupe.isOpen()) loupe.toggleMap(mapClass());
    else if (mappedImage === image) takeGridMap();
    else {
      mappedImage = image;
      gridOverlay.lay(grid.frameOf(image), mapClass(), image);
    }
  }

  function takeGridMap() {
    mappedImage = null;
    gridOverlay.take();
  }

  /** The class whose map is asked for; of a disagreement, the first that ranks the image. */
  function mapClass() {
    const view = desk.view();
    return view.classIndex ?? view.columns().classes[view.placeAt(view.index())][0];
  }

  /** Show the counts. */
  function showStatus(newStatus) {
    status = newStatus;
    const classIndex = desk.view()?.classIndex;
    const areTwo = review.annotators.length > 1 || status.agreement.length > 0;
    choice.showStatus(status, areTwo || status.disagreements > 0);
    showTotal(byId("total"), status.total);
    byId("undo").disabled = !status.can_undo;
    byId("redo").disabled = !status.can_redo;
    byId("agreement").hidden = classIndex !== null;
    byId("account").hidden = typeof classIndex !== "number";
    if (classIndex === undefined) return;
    if (classIndex === null) showAgreement(byId("agreement"), status.agreement);
    else showAccount(byId("account"), status.accounts[classIndex], status);
  }

  function showAdvance() {
    byId("advance").checked = desk.advance();
  }

  const hasDisagreements = () => !byId("disagreements").hidden;
  const filters = Object.entries(FILTERS).map(([name, { label }]) => new Option(label, name));
  byId("filter").replaceChildren(...filters);

  return {
    grid,
    loupe,
    hasDisagreements,
    showAdvance,
    showView,
    showChange,
    showStatus,
    openLoupe,
    closeLoupe,
    toggleMap,
  };
}

function mostVotes({ votes }) {
  return votes.reduce((most, row) => Math.max(most, row.length), 0);
}
