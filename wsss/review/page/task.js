/** The lines above the grid: the question, what the keys mean, and what is selected. */

/**
 * Return the lines above the grid.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.question The heading.
 * @param {HTMLElement} parts.help The line under it.
 * @param {object} parts.bindings See keys.js.
 */
export function createTask({ question, help, bindings }) {
  /** Show what is to be done in the view. `text` is the question; `selected` a number of images. */
  function show(text, { selected, isSettling }) {
    question.textContent = text;
    const pairs = selected ? selectionKeys(selected) : isSettling ? settlingKeys() : decisionKeys();
    help.replaceChildren(...pairs.flatMap(toNodes));
  }

  const decisionKeys = () => [
    ["reject", "yes, reject"],
    ["keep", "no, keep"],
    ["unmark", "undecided again"],
    ["loupe", "loupe"],
    ["overlay", "why it fired"],
    ["help", "all keys"],
  ];

  const settlingKeys = () => [
    ["reject", "reject for all"],
    ["keep", "keep for all"],
    ["unmark", "take it back"],
    ["loupe", "loupe"],
    ["help", "all keys"],
  ];

  const selectionKeys = (selected) => [
    [null, `${selected} selected`],
    ["reject", "reject them"],
    ["keep", "keep them"],
    ["unmark", "unmark them"],
    ["back", "unselect"],
  ];

  function toNodes([command, words]) {
    const item = document.createElement("span");
    item.textContent = words;
    if (command !== null) {
      const key = document.createElement("kbd");
      key.textContent = bindings.signOfCommand(command);
      item.prepend(key, " ");
    }
    return [item, " "];
  }

  return { show };
}
