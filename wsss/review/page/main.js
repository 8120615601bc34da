/** The start of the page, and what each command does. */

import { Refusal, Unreachable, getReview } from "./api.js";
import { createCommands } from "./commands.js";
import { listenToControls } from "./controls.js";
import { createDescriber } from "./candidates.js";
import { createDesk } from "./desk.js";
import { createExchange } from "./exchange.js";
import { createBindings } from "./keys.js";
import { createLetters } from "./letters.js";
import { createMilestones } from "./milestones.js";
import { askName, rememberName, rememberedName } from "./names.js";
import { asSentence, createNotices } from "./notices.js";
import { createScreen } from "./screen.js";
import { createSheet } from "./sheet.js";
import { readSetting, writeSetting } from "./settings.js";
import { FILTERS } from "./view.js";

const START_AGAIN_MS = 2000;

const byId = (id) => document.getElementById(id);
const notices = createNotices({
  live: byId("live"),
  told: byId("told"),
  banners: byId("banners"),
  onClosed: () => byId("grid").querySelector("[data-current=true] .picture")?.focus(),
});

start();

async function start() {
  const review = await identify();
  notices.lower("start");
  work(review);
}

/** Return the review under the name of this person, asking for it until the server takes it. */
async function identify() {
  let name = rememberedName();
  let refusal = "";
  for (;;) {
    if (name === null || refusal) name = await nameOf(name, refusal);
    const review = await reviewOf(name);
    if (!review.refusal) {
      rememberName(name);
      return { ...review, annotator: name };
    }
    refusal = review.refusal;
  }
}

/** Return the name that this person chooses; `refused` is what the server did not take. */
async function nameOf(refused, refusal) {
  const { annotators, suggested } = await reviewOf(null);
  notices.lower("start");
  const proposed = refused ?? suggested;
  return askName({ dialog: byId("name-dialog"), proposed, annotators, mayLeave: false, refusal });
}

/** Return the review, however long the server is away; or why it refuses the name. */
async function reviewOf(name) {
  for (;;) {
    try {
      return await getReview(name);
    } catch (error) {
      const isAboutName = name !== null && error instanceof Refusal && error.status === 400;
      if (isAboutName) return { refusal: error.message };
      const advice = "Start it again; the page goes on by itself.";
      const isAway = error instanceof Unreachable;
      const words = isAway ? `The server does not answer. ${advice}` : asSentence(error.message);
      notices.raise("start", [words], { kind: "bad" });
    }
    await new Promise((resolve) => setTimeout(resolve, START_AGAIN_MS));
  }
}

/** What the sheet tells beside the keys. */
function aboutText({ dataset, foreground, decisions_file: file }) {
  const objects = foreground.join(", ");
  return `Foreground objects of ${dataset}: ${objects}. Decisions are saved in ${file}.`;
}

/** Set the page up for one person and one review. */
function work(review) {
  const { annotator, dataset, ood_set: oodSet } = review;
  const classNames = review.classes.map(({ name }) => name);
  const placeSetting = `place:${dataset}/${oodSet}`;
  const place = readSetting(placeSetting, {});
  const bindings = createBindings();
  const letters = createLetters(review.images);

  const exchange = createExchange({
    annotator,
    version: review.version,
    command: review.command,
    letters,
    notices,
    on: {
      saving: showSaving,
      status: takeStatus,
      answered: (action, answer) => desk.takeAnswer(action, answer),
      refused: (action) => desk.takeRefusal(action),
      stale: () => desk.reload(),
    },
  });
  const desk = createDesk({
    annotator,
    letters,
    exchange,
    filter: place.filter in FILTERS ? place.filter : "all",
    advance: readSetting("advance", true),
    on: {
      view: showView,
      change: () => screen.showChange(),
      say: notices.say,
      tell: notices.tell,
      failed: (words) => notices.raise("failed", [asSentence(words)], { kind: "bad" }),
    },
  });
  const describe = createDescriber({ classNames, letters, selection: desk.selection, annotator });
  const run = (name, extend = false) => commands[name](extend);
  const screen = createScreen({ review, bindings, notices, desk, describe, run });
  const milestones = createMilestones({
    names: classNames,
    notices,
    key: () => bindings.signOfCommand("nextClass"),
    goTo: desk.open,
  });
  const sheet = createSheet({
    dialog: byId("key-sheet"),
    bindings,
    about: aboutText(review),
    onChange: () => screen.showChange(),
  });
  const classCount = classNames.length;
  const commands = createCommands({ desk, screen, milestones, sheet, notices, classCount });

  function takeStatus(status) {
    milestones.note(status.accounts, desk.view()?.classIndex ?? null);
    screen.showStatus(status);
  }

  function showSaving(count) {
    document.body.dataset.saving = count;
    byId("saved").textContent = count ? `saving ${count}` : "all saved";
    byId("saved").dataset.busy = String(count > 0);
  }

  function showView() {
    const { classIndex } = desk.view();
    milestones.leave(classIndex);
    screen.showView();
    place.class = classNames[classIndex] ?? place.class;
    place.filter = desk.filter();
    writeSetting(placeSetting, place);
    document.body.dataset.view = classIndex ?? "disagreements";
    document.body.dataset.ready = "true";
  }

  async function changeName() {
    if (exchange.count()) {
      notices.tell("Some decisions are not saved yet. Change the name when they are.");
      return;
    }
    const { annotators } = await exchange.patiently(() => getReview(null));
    const dialog = byId("name-dialog");
    const name = await askName({ dialog, proposed: annotator, annotators, mayLeave: true });
    if (name === null || name === annotator) return;
    rememberName(name);
    // Nothing on the screen holds for another person.
    location.reload();
  }

  function begin() {
    byId("title").textContent = `${dataset} · ${oodSet}`;
    document.title = `Pruning ${dataset}/${oodSet}`;
    byId("name").textContent = annotator;
    byId("name").setAttribute("aria-label", `${annotator}: change the name`);
    byId("name").addEventListener("click", changeName);
    listenToControls({ bindings, commands, desk, screen });
    // Leaving now would lose what is not saved.
    window.addEventListener("beforeunload", (event) => exchange.count() && event.preventDefault());
    screen.showAdvance();
    commands.sameWidth();
    exchange.take(review.status, 0);
    exchange.act({ action: "open", class: null });
    exchange.start();
    desk.open(firstClass());
  }

  /** The class where one was last time; at first, one that is not done. */
  function firstClass() {
    const before = classNames.indexOf(place.class);
    if (before >= 0) return before;
    return Math.max(0, review.status.accounts.findIndex((account) => !account.done));
  }

  begin();
}
