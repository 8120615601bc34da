/**
 * Loading of thumbnails: at once while one moves slowly, after a short rest while one rushes past,
 * and ahead for the next screen.
 */

import { pictureAddress, whyNoPicture } from "./api.js";

/** How long the list must be at rest after a rush before pictures are asked for. */
const REST_MS = 80;

/** How long after the last look the next screen is fetched. */
const AHEAD_MS = 150;

let isFirstMarked = false;

/** Return the loader for pictures of this `version`. */
export function createThumbnails(version) {
  const waiting = new Map();
  const seen = new Set();
  let ahead = [];
  let restTimer = 0;
  let aheadTimer = 0;
  let isRushing = false;

  /** Ask for nothing until the list has come to rest. */
  function rush() {
    isRushing = true;
    clearTimeout(restTimer);
    restTimer = setTimeout(() => {
      isRushing = false;
      for (const [picture, image] of waiting) load(picture, image);
      waiting.clear();
    }, REST_MS);
  }

  /** Show the thumbnail of `image` in the `img` element `picture`. */
  function show(picture, image) {
    if (isRushing) waiting.set(picture, image);
    else load(picture, image);
  }

  function load(picture, image) {
    picture.src = pictureAddress.thumbnail(image, version);
    seen.add(image);
  }

  /** Stop loading into `picture`: its tile goes elsewhere. */
  function drop(picture) {
    waiting.delete(picture);
    picture.removeAttribute("src");
  }

  /** Fetch the thumbnails of `images` soon, unless one has moved on by then. */
  function fetchAhead(images) {
    clearTimeout(aheadTimer);
    aheadTimer = setTimeout(() => {
      ahead.forEach((picture) => picture.complete || picture.removeAttribute("src"));
      ahead = images.filter((image) => !seen.has(image)).map((image) => {
        const picture = new Image();
        picture.fetchPriority = "low";
        load(picture, image);
        return picture;
      });
    }, AHEAD_MS);
  }

  return {
    rush,
    show,
    drop,
    fetchAhead,
    whyNot: (image) => whyNoPicture(pictureAddress.thumbnail(image, version)),
  };
}

/** Mark the moment at which the first thumbnail is on the screen, for measurements. */
export async function markFirstPicture(picture) {
  if (isFirstMarked) return;
  isFirstMarked = true;
  await picture.decode().catch(() => {});
  // The frame after the next one begins when the picture has been painted.
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("first-picture")));
}
