/** The choice of class: a list with progress, a select on narrow screens, and the disagreements. */

import { progressOf, shareOf } from "./account.js";

/** Value of the select's entry for the disagreements. */
const DISAGREEMENTS = "disagreements";

/**
 * Return the choice of class.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.list The list of the navigation.
 * @param {HTMLSelectElement} parts.select The select of narrow screens.
 * @param {HTMLElement} parts.disagreements The navigation's button for disagreements.
 * @param {string[]} parts.names Names of the classes.
 * @param {(classIndex: number|null) => void} parts.onChoose A class, or null: the disagreements.
 */
export function createClassChoice({ list, select, disagreements, names, onChoose }) {
  const entries = names.map(makeEntry);
  list.replaceChildren(...entries.map((entry) => entry.row));
  const other = new Option("Disagreements", DISAGREEMENTS);
  select.replaceChildren(...entries.map((entry) => entry.option));

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) onChoose(Number(button.dataset.class));
  });
  disagreements.addEventListener("click", () => onChoose(null));
  select.addEventListener("change", () => {
    onChoose(select.value === DISAGREEMENTS ? null : Number(select.value));
  });

  /** Show the progress of all classes and the number of disagreements. */
  function showStatus(status, hasOthers) {
    entries.forEach((entry, number) => fillEntry(entry, names[number], status.accounts[number]));
    const text = `Disagreements (${status.disagreements})`;
    disagreements.textContent = text;
    other.textContent = text;
    disagreements.hidden = !hasOthers;
    if (hasOthers && !other.isConnected) select.append(other);
    if (!hasOthers) other.remove();
  }

  /** Show which class is open; null means the disagreements. */
  function showCurrent(classIndex) {
    entries.forEach(({ button }, number) => setCurrent(button, number === classIndex));
    setCurrent(disagreements, classIndex === null);
    select.value = classIndex === null ? DISAGREEMENTS : String(classIndex);
    entries[classIndex]?.button.scrollIntoView({ block: "nearest" });
  }

  return { showStatus, showCurrent };
}

function makeEntry(name, number) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.class = number;
  const [tick, label, progress, bar] = ["tick", "name", "progress", "bar"].map((className) => {
    const span = document.createElement("span");
    span.className = className;
    return span;
  });
  label.textContent = name;
  button.append(tick, label, progress, bar);
  row.append(button);
  return { row, button, tick, progress, bar, option: new Option(name, number) };
}

function fillEntry({ button, tick, progress, bar, option }, name, account) {
  const words = progressOf(account);
  button.dataset.done = String(account.done);
  button.setAttribute("aria-label", `${name}, ${words}${account.done ? ", done" : ""}`);
  tick.textContent = account.done ? "✓" : "";
  progress.textContent = words;
  bar.style.setProperty("--share", shareOf(account));
  option.textContent = `${account.done ? "✓ " : ""}${name} – ${words}`;
}

function setCurrent(button, isCurrent) {
  if (isCurrent) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
}
