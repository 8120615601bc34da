/** The account: how far the class and the whole are, what is left, how fast one is. */

/**
 * Show the account of a class.
 *
 * @param {HTMLElement} root Holds an element `data-account` per value.
 * @param {object} account Of the class, as the server sent it.
 * @param {object} status The whole status.
 */
export function showAccount(root, account, status) {
  const put = (name, text) => {
    root.querySelector(`[data-account="${name}"]`).textContent = text;
  };
  put("decided", account.decided);
  put("ranked", account.ranked);
  put("own", account.own_decided === account.decided ? "" : `${account.own_decided} by me`);
  put("left", account.ranked - account.decided);
  put("kept", account.kept);
  put("rejected", account.rejected);
  put("rate", rateText(account));
  put("to_check", account.to_check ?? "?");
  put("wanted", wantedText(account));
  const seconds = status.seconds_per_decision;
  put("seconds", seconds === null ? "–" : `${seconds.toFixed(1)} s`);
  const warning = root.querySelector("[data-account=\"enough\"]");
  warning.hidden = account.enough;
  warning.textContent = account.enough ? "" : shortageText(account);
}

function rateText({ rate, rate_low: low, rate_high: high }) {
  if (rate === null) return "–";
  return `${rate.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function wantedText({ wanted, to_check: toCheck, kept }) {
  if (wanted === null) return "until all are decided";
  if (toCheck === null) return `for ${wanted} kept; known when some are kept`;
  if (kept >= wanted) return `has its ${wanted}`;
  return `for the ${wanted - kept} missing of ${wanted}`;
}

function shortageText({ wanted }) {
  return `The ranked candidates hardly suffice for ${wanted}: too many are rejected, or too few ranked.`;
}

/** Show how far the whole set is. */
export function showTotal(root, total) {
  const bar = root.querySelector("progress");
  bar.max = Math.max(1, total.images);
  bar.value = total.decided;
  root.querySelector("[data-part=\"words\"]").textContent =
    `${total.decided} of ${total.images} images decided, ${total.kept} kept`;
}

/** Show how well each two annotators agree. */
export function showAgreement(list, agreement) {
  list.replaceChildren(...agreement.map(({ first, second, both, kappa }) => {
    const row = document.createElement("li");
    const value = kappa === null ? "not defined" : kappa.toFixed(2);
    row.textContent =
      `Cohen's kappa of ${first} and ${second}: ${value} on ${both} images both decided`;
    return row;
  }));
}

/** Return how far a class is, in few words. */
export function progressOf({ wanted, kept, decided, ranked }) {
  return wanted === null ? `${decided} of ${ranked} decided` : `${kept} of ${wanted} kept`;
}

/** Return the share of a class that is done, 0 to 1. */
export function shareOf({ done, wanted, kept, decided, ranked }) {
  if (done) return 1;
  return wanted === null ? decided / Math.max(1, ranked) : kept / Math.max(1, wanted);
}
