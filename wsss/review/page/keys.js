/** Keys: what each is called, which command it runs, and how a person rebinds it. */

import { readSetting, writeSetting } from "./settings.js";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * The commands in the order of the key sheet. `mod` is Ctrl, or Cmd on a Mac.
 * `moves` marks those that repeat while the key is held, and that select a range with Shift.
 */
export const COMMANDS = [
  { name: "reject", group: "Decide", label: "Yes: reject", keys: ["x"] },
  { name: "keep", group: "Decide", label: "No: keep", keys: ["p"] },
  { name: "unmark", group: "Decide", label: "Unmark: undecided again", keys: ["u"] },
  { name: "undo", group: "Decide", label: "Undo", keys: ["mod+z"] },
  { name: "redo", group: "Decide", label: "Redo", keys: ["mod+y", "mod+shift+z"] },
  { name: "left", group: "Move", label: "Previous", keys: ["arrowleft"], moves: true },
  { name: "right", group: "Move", label: "Next", keys: ["arrowright"], moves: true },
  { name: "up", group: "Move", label: "Row above", keys: ["arrowup"], moves: true },
  { name: "down", group: "Move", label: "Row below", keys: ["arrowdown"], moves: true },
  { name: "pageUp", group: "Move", label: "Screen up", keys: ["pageup"], moves: true },
  { name: "pageDown", group: "Move", label: "Screen down", keys: ["pagedown"], moves: true },
  { name: "first", group: "Move", label: "First", keys: ["home"], moves: true },
  { name: "last", group: "Move", label: "Last", keys: ["end"], moves: true },
  { name: "nextClass", group: "Move", label: "Next class", keys: ["n"] },
  { name: "previousClass", group: "Move", label: "Class before", keys: ["b"] },
  { name: "selectAll", group: "Look", label: "Select all shown", keys: ["mod+a"] },
  { name: "loupe", group: "Look", label: "Open or close the loupe", keys: ["space", "enter"] },
  { name: "back", group: "Look", label: "Back: close, or unselect", keys: ["escape"] },
  { name: "overlay", group: "Look", label: "Why it fired: map on or off", keys: ["c"] },
  { name: "filter", group: "Look", label: "Next filter", keys: ["f"] },
  { name: "disagreements", group: "Look", label: "Disagreements", keys: ["d"] },
  { name: "smaller", group: "Look", label: "Smaller thumbnails", keys: ["-"] },
  { name: "larger", group: "Look", label: "Larger thumbnails", keys: ["=", "+"] },
  { name: "advance", group: "Look", label: "Auto-advance on or off", keys: ["a"] },
  { name: "help", group: "Look", label: "This sheet", keys: ["?"] },
];

const BY_NAME = new Map(COMMANDS.map((command) => [command.name, command]));

/** The browser never hands these to a page, or a person would miss them there. */
const BROWSER_KEYS = ["t", "w", "n", "r", "l", "q", "c", "v", "f", "p"].map((key) => `mod+${key}`);
const REFUSED_KEYS = [...BROWSER_KEYS, "tab", "shift+tab", "f5", "f11", "f12"];

/** What a key event may name that is no key by itself. */
const NO_KEYS = ["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead"];

const SIGNS = {
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  pageup: "Page Up",
  pagedown: "Page Down",
  escape: "Esc",
  plus: "+",
  mod: IS_MAC ? "⌘" : "Ctrl",
};

/** Return the key as bindings spell it ("mod+shift+z", "x", "?"), or null for a lone modifier. */
export function keyOf(event) {
  if (event.isComposing || NO_KEYS.includes(event.key)) return null;
  const name = nameOfKey(event);
  // A sign such as ? needs Shift on one keyboard and not on another.
  const isSign = name.length === 1 && !/[a-z]/.test(name);
  const modifiers = [];
  if (event.ctrlKey || event.metaKey) modifiers.push("mod");
  if (event.shiftKey && !isSign) modifiers.push("shift");
  return [...modifiers, name].join("+");
}

function nameOfKey(event) {
  if (event.key === " ") return "space";
  const isForeignLetter = event.key.length === 1 && event.key.charCodeAt(0) > 127;
  // On a Cyrillic or Greek keyboard the key still stands where X stands.
  if (isForeignLetter && /^Key[A-Z]$/.test(event.code)) return event.code.slice(3).toLowerCase();
  return event.key.toLowerCase();
}

/** Return how a key is written for people: "Ctrl+Z", "←". */
export function signOf(key) {
  const parts = key.replace(/\+$/, "plus").split("+");
  return parts.map((part) => SIGNS[part] ?? part[0].toUpperCase() + part.slice(1)).join("+");
}

/** Return the bindings of this browser: which key runs which command, and how to change them. */
export function createBindings() {
  const changed = readSetting("keys", {});

  function keysOf(name) {
    return changed[name] ?? BY_NAME.get(name).keys;
  }

  function commandOf(key) {
    return COMMANDS.find((command) => keysOf(command.name).includes(key));
  }

  /** Return what `key` does: its command, and whether it selects a range. */
  function meaningOf(key) {
    const command = commandOf(key);
    if (command) return { command, extend: false };
    const plain = key.replace("shift+", "");
    const move = plain === key ? undefined : commandOf(plain);
    return move?.moves ? { command: move, extend: true } : null;
  }

  /** Return why `key` cannot be bound to the command `name`, or null. */
  function objection(name, key) {
    const sign = signOf(key);
    if (REFUSED_KEYS.includes(key)) return `${sign} belongs to the browser.`;
    const other = meaningOf(key);
    if (other?.extend) return `${sign} selects a range.`;
    if (other && other.command.name !== name) {
      return `${sign} already means “${other.command.label}”.`;
    }
    const ranges = BY_NAME.get(name).moves && commandOf(`shift+${key}`);
    return ranges ? `Shift+${sign} already means “${ranges.label}”.` : null;
  }

  /** Put `key` in the place of `old`. */
  function rebind(name, old, key) {
    const keys = keysOf(name).map((other) => (other === old ? key : other));
    changed[name] = [...new Set(keys)];
    writeSetting("keys", changed);
  }

  function reset() {
    for (const name of Object.keys(changed)) delete changed[name];
    writeSetting("keys", null);
  }

  /** The first key of a command as people read it. */
  const signOfCommand = (name) => signOf(keysOf(name)[0]);

  return { keysOf, meaningOf, objection, rebind, reset, signOfCommand };
}

/**
 * Run commands on key presses.
 *
 * @param {object} bindings See `createBindings`.
 * @param {(name: string, extend: boolean) => void} run Runs a command.
 */
export function listenToKeys(bindings, run) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    const key = keyOf(event);
    const meaning = key && meaningAt(event.target, key, bindings);
    if (!meaning) return;
    event.preventDefault();
    // A held key must not decide a dozen images.
    if (event.repeat && !meaning.command.moves) return;
    run(meaning.command.name, meaning.extend);
  });
}

/** Return what `key` means while `target` has the focus; null leaves it to the browser. */
function meaningAt(target, key, bindings) {
  if (target.matches("input:not([type=checkbox]), textarea, select")) return null;
  const isControl = target.matches("button:not(.picture), input, a, summary");
  if (isControl && (key === "space" || key === "enter")) return null;
  return bindings.meaningOf(key);
}
