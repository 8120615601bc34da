"""Seeded region growing pixel by pixel, as the paper tells it."""

import numpy as np


def grow_seed_plain(probs, seed, image_labels, *, foreground_threshold, background_threshold):
    """Return the grown seed (h, w) of one image: neighbours are visited until none joins."""
    grown = seed.copy()
    classes = [0, *(1 + np.flatnonzero(image_labels))]
    waiting = [place for place in np.ndindex(*seed.shape) if seed[place] != 255]
    while waiting:
        row, column = waiting.pop()
        label = grown[row, column]
        for neighbour in np.ndindex(3, 3):
            place = row + neighbour[0] - 1, column + neighbour[1] - 1
            if not (0 <= place[0] < seed.shape[0] and 0 <= place[1] < seed.shape[1]):
                continue
            own = [probs[label, *place] for label in classes]
            threshold = background_threshold if label == 0 else foreground_threshold
            is_largest = label in classes and classes[int(np.argmax(own))] == label
            if grown[place] == 255 and is_largest and max(own) > threshold:
                grown[place] = label
                waiting.append(place)
    return grown
