/** The name under which one decides. */

import { asSentence } from "./notices.js";
import { readSetting, writeSetting } from "./settings.js";

const LONGEST = 40;
const ALLOWED = /^[\p{L}\p{N}_ .-]+$/u;

/** Return the name that this browser remembers, or null. */
export function rememberedName() {
  return readSetting("name", null);
}

/**
 * Ask for the name; the promise is the name, or null if the dialog was left.
 *
 * @param {object} parts
 * @param {HTMLDialogElement} parts.dialog The dialog of index.html.
 * @param {string} parts.proposed What stands in the field at first.
 * @param {string[]} parts.annotators Who has decided something already.
 * @param {boolean} parts.mayLeave Whether there is a name to go on with.
 * @param {string} [parts.refusal] What the server said against the last name.
 */
export function askName({ dialog, proposed, annotators, mayLeave, refusal = "" }) {
  const form = dialog.querySelector("form");
  const field = dialog.querySelector("input");
  const problem = dialog.querySelector("[data-part=problem]");
  field.value = proposed;
  dialog.querySelector("[data-part=leave]").hidden = !mayLeave;
  offerKnown(dialog.querySelector("[data-part=known]"), annotators, (name) => {
    field.value = name;
    form.requestSubmit();
  });

  return new Promise((resolve) => {
    const listening = new AbortController();
    const listen = (target, type, handler) => {
      target.addEventListener(type, handler, { signal: listening.signal });
    };
    const finish = (name) => {
      listening.abort();
      dialog.close();
      resolve(name);
    };
    const tellProblem = (sentence) => {
      problem.textContent = sentence;
      field.setAttribute("aria-invalid", String(sentence !== ""));
    };
    tellProblem(refusal && asSentence(refusal));
    listen(form, "submit", (event) => {
      event.preventDefault();
      const name = field.value.normalize("NFC").trim();
      const sentence = objectionTo(name);
      tellProblem(sentence);
      if (sentence) field.focus();
      else finish(name);
    });
    listen(dialog.querySelector("[data-part=leave]"), "click", () => finish(null));
    listen(dialog, "cancel", (event) => {
      event.preventDefault();
      if (mayLeave) finish(null);
    });
    dialog.showModal();
    field.select();
  });
}

/** Remember the name in this browser. */
export function rememberName(name) {
  writeSetting("name", name);
}

/** Return what is wrong with a name, or an empty string. */
function objectionTo(name) {
  if (!name) return "Please type a name.";
  if (name.length > LONGEST) return `A name has at most ${LONGEST} letters.`;
  if (name.startsWith(".")) return "A name does not begin with a dot.";
  if (!ALLOWED.test(name)) return "Use letters, digits, spaces and . _ - only.";
  return "";
}

function offerKnown(root, annotators, choose) {
  root.hidden = annotators.length === 0;
  root.querySelector("ul").replaceChildren(...annotators.map((name) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => choose(name));
    row.append(button);
    return row;
  }));
}
