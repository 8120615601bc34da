/** Says, once per class, that a class has what it needs, and which class comes next. */

/**
 * Return the milestones.
 *
 * @param {object} parts
 * @param {string[]} parts.names Names of the classes.
 * @param {object} parts.notices See notices.js.
 * @param {() => string} parts.key The key that goes on, as people read it.
 * @param {(classIndex: number) => void} parts.goTo Opens a class.
 */
export function createMilestones({ names, notices, key, goTo }) {
  const told = new Set();
  let before = null;
  let next = null;
  let reachedClass = null;

  /** Compare the accounts with those before; `current` is the open class or null. */
  function note(accounts, current) {
    const wasOpen = current !== null && before !== null && !before[current].done;
    before = accounts;
    if (!wasOpen || !accounts[current].done || told.has(current)) return;
    told.add(current);
    announce(accounts, current);
  }

  function announce(accounts, current) {
    reachedClass = current;
    const { wanted, kept } = accounts[current];
    const hasWanted = wanted !== null && kept >= wanted;
    const reached = hasWanted ? `has its ${wanted}` : "is decided to the end";
    next = firstOpenAfter(accounts, current);
    const follows = next === null ? "every class is done." : `next: ${names[next]}.`;
    const label = `Go to ${names[next]} (${key()})`;
    notices.raise("milestone", [`${names[current]} ${reached}; ${follows}`], {
      kind: "good",
      action: next === null ? undefined : { label, run: goOn },
    });
  }

  function goOn() {
    goTo(next);
  }

  /** Take the banner down where another class is open by now. */
  function leave(current) {
    if (current !== reachedClass) notices.lower("milestone");
  }

  /** The class that the banner proposes, or null. */
  function proposed() {
    return notices.isRaised("milestone") ? next : null;
  }

  return { note, leave, proposed };
}

function firstOpenAfter(accounts, current) {
  for (let step = 1; step < accounts.length; step += 1) {
    const number = (current + step) % accounts.length;
    if (!accounts[number].done) return number;
  }
  return null;
}
