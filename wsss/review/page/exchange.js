/**
 * The exchange with the server while one works: actions out, answers in, and a look every few
 * seconds at what others have done.
 */

import { Refusal, Unreachable, getStatus, postAction } from "./api.js";
import { asSentence } from "./notices.js";
import { createQueue, newId } from "./queue.js";

const LOOK_EVERY_MS = 5000;
const ASK_AGAIN_MS = 2000;

/** HTTP status of an undo or redo at the end of the history. */
const NOTHING_TO_DO = 409;

/**
 * Return the exchange.
 *
 * @param {object} parts
 * @param {string} parts.annotator Who works at this page.
 * @param {string} parts.version The ranking that the numbers of images belong to.
 * @param {string} parts.command The command that starts the server again.
 * @param {object} parts.letters See letters.js.
 * @param {object} parts.notices See notices.js.
 * @param {object} parts.on `saving(count)`, `status(status)`, `answered(action, answer)`,
 *     `refused(action, refusal)`, and `stale()`: others changed something.
 */
export function createExchange({ annotator, version, command, letters, notices, on }) {
  let changes = null;
  let isStale = false;

  const queue = createQueue({
    send: postAction,
    onChange: () => on.saving(queue.count()),
    onAnswer: answered,
    onRefused: refused,
    onTrouble: tellTrouble,
    onRecovered: () => notices.lower("trouble"),
  });

  /** Put an action into the queue. */
  function act(parts) {
    const action = { id: newId(), version, annotator, images: [], ...parts };
    letters.expect(action);
    queue.push(action);
  }

  function answered(action, answer) {
    letters.settle(action);
    notices.lower("refusal");
    letters.apply(answer.changed);
    take(answer.status, action.action === "open" ? 0 : 1);
    on.answered(action, answer);
  }

  function refused(action, refusal, dropped) {
    letters.settle(action);
    if (refusal.status === NOTHING_TO_DO && !action.images.length) notices.tell(refusal.message);
    else raiseRefusal(refusal, dropped);
    on.refused(action, refusal);
  }

  function raiseRefusal(refusal, dropped) {
    const also = dropped.length ? ` ${dropped.length} undo or redo after it left out.` : "";
    notices.raise("refusal", [`Not saved: ${asSentence(refusal.message)}${also}`], { kind: "bad" });
  }

  /** Take over a status. `explained` is by how much own actions let `changes` grow. */
  function take(status, explained) {
    if (changes !== null && status.changes !== changes + explained) isStale = true;
    changes = status.changes;
    if (status.problem) notices.raise("problem", [asSentence(status.problem)], { kind: "bad" });
    else notices.lower("problem");
    on.status(status);
  }

  function tellTrouble(error) {
    const count = queue.count();
    const some = count === 1 ? "1 decision is not saved." : `${count} decisions are not saved.`;
    const words = troubleWords(error, count ? some : "Nothing is lost.");
    notices.raise("trouble", words, { kind: "bad" });
  }

  function troubleWords(error, unsaved) {
    if (error instanceof Refusal) {
      return [
        "This page's token is not valid any more: open the address that ",
        { code: command },
        ` printed. ${unsaved} The page goes on by itself then.`,
      ];
    }
    return [
      `The server does not answer: ${unsaved} Start it again with `,
      { code: command },
      "; the page goes on by itself.",
    ];
  }

  /** Return the answer to `ask`, however long the server is away. */
  async function patiently(ask) {
    for (;;) {
      try {
        const answer = await ask();
        if (!queue.count()) notices.lower("trouble");
        return answer;
      } catch (error) {
        if (!(error instanceof Unreachable) && error.status !== 403) throw error;
        tellTrouble(error);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  /** Ask for the status; where others changed something, have the view loaded anew. */
  async function look() {
    // While actions are on their way, their answers bring the status.
    if (document.hidden || queue.count()) return;
    try {
      const status = await getStatus(annotator);
      if (queue.count()) return;
      notices.lower("trouble");
      take(status, 0);
    } catch (error) {
      tellTrouble(error);
      return;
    }
    if (isStale) {
      isStale = false;
      on.stale();
    }
  }

  /** Start to look at what others do. */
  function start() {
    setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look);
  }

  return { act, take, start, patiently, count: queue.count };
}
