/** The key sheet: what each key does, and how to have other keys. */

import { COMMANDS, keyOf, signOf } from "./keys.js";

/**
 * Return the key sheet.
 *
 * @param {object} parts
 * @param {HTMLDialogElement} parts.dialog The dialog of index.html.
 * @param {object} parts.bindings See keys.js.
 * @param {string} parts.about What else a person may want to look up.
 * @param {() => void} parts.onChange A key was bound anew.
 */
export function createSheet({ dialog, bindings, about, onChange }) {
  const body = dialog.querySelector("[data-part=keys]");
  const message = dialog.querySelector("[data-part=message]");
  let asking = null;

  function open() {
    fill();
    message.textContent = "";
    dialog.showModal();
  }

  function fill() {
    asking = null;
    const groups = [...new Set(COMMANDS.map((command) => command.group))];
    body.replaceChildren(...groups.map(makeGroup));
  }

  function makeGroup(title) {
    const section = document.createElement("section");
    const heading = document.createElement("h3");
    heading.textContent = title;
    const list = document.createElement("ul");
    list.append(...COMMANDS.filter((command) => command.group === title).map(makeRow));
    section.append(heading, list);
    return section;
  }

  function makeRow(command) {
    const row = document.createElement("li");
    const label = document.createElement("span");
    label.textContent = command.label;
    row.append(label, ...bindings.keysOf(command.name).map((key) => makeKey(command, key)));
    return row;
  }

  function makeKey(command, key) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "key";
    button.dataset.binds = command.name;
    button.dataset.key = key;
    button.textContent = signOf(key);
    button.setAttribute("aria-label", `${command.label}: ${signOf(key)}, change`);
    button.addEventListener("click", () => ask(button));
    return button;
  }

  function ask(button) {
    stopAsking();
    asking = button;
    button.classList.add("asking");
    message.textContent = "Press the new key. Esc leaves it as it is.";
  }

  function stopAsking() {
    asking?.classList.remove("asking");
    asking = null;
    message.textContent = "";
  }

  function takeKey(key) {
    const { binds: command } = asking.dataset;
    const objection = bindings.objection(command, key);
    if (key === "escape") stopAsking();
    else if (objection) message.textContent = `${objection} Press another key, or Esc.`;
    else rebind(command, key);
  }

  function rebind(command, key) {
    bindings.rebind(command, asking.dataset.key, key);
    fill();
    onChange();
    body.querySelector(`[data-binds="${command}"][data-key="${CSS.escape(key)}"]`).focus();
    message.textContent = "The key is changed.";
  }

  function handleKey(event) {
    const key = keyOf(event);
    if (key === null || event.altKey) return;
    if (asking) {
      event.preventDefault();
      takeKey(key);
    } else if (bindings.meaningOf(key)?.command.name === "help") {
      event.preventDefault();
      dialog.close();
    }
  }

  dialog.querySelector("[data-part=about]").textContent = about;
  dialog.addEventListener("keydown", handleKey);
  dialog.querySelector("[data-part=close]").addEventListener("click", () => dialog.close());
  dialog.querySelector("[data-part=reset]").addEventListener("click", () => {
    bindings.reset();
    fill();
    onChange();
    message.textContent = "All keys are as at first.";
  });

  return { open };
}
