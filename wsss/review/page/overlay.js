/** The localization map laid over a picture: why the classifier fired. */

import { getPicture, pictureAddress } from "./api.js";
import { asSentence } from "./notices.js";

/**
 * Return an overlay that can be laid over one picture at a time.
 *
 * @param {string} version The version in picture addresses.
 * @param {(sentence: string) => void} say Tells screen readers how it went.
 */
export function createOverlay(version, say) {
  const element = document.createElement("span");
  element.className = "overlay";
  const map = document.createElement("img");
  map.alt = "";
  const message = document.createElement("span");
  message.className = "message";
  element.append(map, message);
  let running = null;
  let blobAddress = null;

  /** Lay the map of `classIndex` over the picture of `image` that stands in `frame`. */
  async function lay(frame, classIndex, image) {
    take();
    frame.append(element);
    running = new AbortController();
    const { signal } = running;
    tellState("busy", "computing the map …");
    try {
      const blob = await getPicture(pictureAddress.map(classIndex, image, version), signal);
      if (signal.aborted) return;
      blobAddress = URL.createObjectURL(blob);
      map.src = blobAddress;
      tellState("shown", "");
      say("The map is shown.");
    } catch (error) {
      if (signal.aborted) return;
      tellState("failed", asSentence(error.message));
      say(`No map: ${asSentence(error.message)}`);
    }
  }

  /** Take the overlay away and stop what is being computed. */
  function take() {
    running?.abort();
    running = null;
    element.remove();
    map.removeAttribute("src");
    if (blobAddress) URL.revokeObjectURL(blobAddress);
    blobAddress = null;
  }

  function tellState(state, sentence) {
    element.dataset.state = state;
    message.textContent = sentence;
  }

  return { lay, take, isLaid: () => running !== null };
}
