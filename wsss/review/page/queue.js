/**
 * The queue of actions that the server has not confirmed yet.
 *
 * One request at a time, in order. An action whose answer got lost is sent again under the same id,
 * so the server does it once. It lives in memory only: what is not saved is never shown as decided.
 */

import { Refusal, Unreachable } from "./api.js";

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 3000;

/** Failed tries before the person is told. */
const QUIET_TRIES = 3;

/**
 * Return a queue.
 *
 * @param {object} parts
 * @param {(action: object) => Promise<object>} parts.send Sends one action, returns the answer.
 * @param {() => void} parts.onChange The number of unsent actions changed.
 * @param {(action: object, answer: object) => void} parts.onAnswer An action is saved.
 * @param {(action: object, refusal: Refusal, dropped: object[]) => void} parts.onRefused
 *     The server said no; `dropped` were taken from the queue with it.
 * @param {(error: Error) => void} parts.onTrouble It does not answer, or not to this page.
 * @param {() => void} parts.onRecovered It answers again.
 */
export function createQueue({ send, onChange, onAnswer, onRefused, onTrouble, onRecovered }) {
  let waiting = [];
  let running = false;

  function push(action) {
    waiting.push(action);
    onChange();
    run();
  }

  async function run() {
    if (running) return;
    running = true;
    try {
      while (waiting.length) await deliver(waiting[0]);
    } finally {
      running = false;
    }
  }

  async function deliver(action) {
    const { answer, refusal } = await untilAnswered(action);
    waiting.shift();
    onRecovered();
    if (refusal) refuse(action, refusal);
    else onAnswer(action, answer);
    onChange();
  }

  async function untilAnswered(action) {
    for (let tries = 1; ; tries += 1) {
      try {
        return { answer: await send(action) };
      } catch (error) {
        if (!isTrouble(error)) return { refusal: error };
        if (tries >= QUIET_TRIES || error instanceof Refusal) onTrouble(error);
        await rest(Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS));
      }
    }
  }

  function refuse(action, refusal) {
    // An undo pressed after the refused action was meant for it; now it would hit an older one.
    const dropped = waiting.filter(isStep);
    waiting = waiting.filter((later) => !isStep(later));
    onRefused(action, refusal, dropped);
  }

  return { push, count: () => waiting.length };
}

/** Whether to try again. A wrong token heals when the new address is opened in another tab. */
function isTrouble(error) {
  return error instanceof Unreachable || (error instanceof Refusal && error.status === 403);
}

function isStep(action) {
  return action.action === "undo" || action.action === "redo";
}

function rest(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Return a random UUID: the id under which an action is sent, however often.
 * `crypto.randomUUID` is missing where the page does not come from localhost.
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
