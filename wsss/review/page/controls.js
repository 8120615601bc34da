/** The controls around the grid: keys, buttons, selects, and where the focus goes after them. */

import { COMMANDS, listenToKeys } from "./keys.js";

/**
 * Listen to everything that a person may press.
 *
 * @param {object} parts Bindings, commands, desk and screen (see their modules).
 */
export function listenToControls({ bindings, commands, desk, screen }) {
  const byId = (id) => document.getElementById(id);

  listenToKeys(bindings, (name, extend) => {
    commands[name](extend);
    const { group } = COMMANDS.find((command) => command.name === name);
    if (group !== "Look") focusGrid();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-command]");
    if (!button) return;
    focusGridAfterPointer(event);
    commands[button.dataset.command](false);
  });
  byId("filter").addEventListener("change", (event) => desk.setFilter(event.target.value));
  byId("show-all").addEventListener("click", () => desk.setFilter("all"));
  byId("advance").addEventListener("change", commands.advance);
  for (const id of ["advance", "classes", "disagreements", "more"]) {
    byId(id).addEventListener("click", focusGridAfterPointer);
  }
  for (const id of ["filter", "class-select"]) focusGridAfterChoice(byId(id));
  byId("more").addEventListener("click", toggleMore);

  function focusGrid() {
    if (!screen.loupe.isOpen()) screen.grid.focus();
  }

  /** After a click the keys belong to the grid again; who came by Tab stays where they are. */
  function focusGridAfterPointer(event) {
    if (event.detail > 0) focusGrid();
  }

  /** As above for a select, whose `change` does not say whether a pointer made it. */
  function focusGridAfterChoice(select) {
    let isPointer = false;
    select.addEventListener("pointerdown", () => (isPointer = true));
    select.addEventListener("keydown", () => (isPointer = false));
    select.addEventListener("change", () => isPointer && focusGrid());
  }

  function toggleMore() {
    const isOpen = byId("app").classList.toggle("more");
    byId("more").setAttribute("aria-expanded", String(isOpen));
  }
}
