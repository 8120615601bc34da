"""SEAM's maps and losses position by position, from the equations, in numpy and float64."""

import numpy as np


def stretched(image_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map (h, w) at another size: linear, the corners' centres stay in the corners."""
    for axis, length in enumerate(size):
        given = image_map.shape[axis]
        places = np.linspace(0, given - 1, length) if length > 1 else np.zeros(1)
        image_map = np.apply_along_axis(
            lambda line, at=places, n=given: np.interp(at, np.arange(n), line), axis, image_map
        )
    return image_map


def competing_plain(scores: np.ndarray) -> np.ndarray:
    """Return the spread maps (K, h, w) of one image's raw scores (C, h, w)."""
    classes, height, width = scores.shape
    found = np.zeros((classes + 1, height, width))
    shares = [np.maximum(np.maximum(s, 0) - 1e-5, 0) / (max(s.max(), 0) + 1e-5) for s in scores]
    for y in range(height):
        for x in range(width):
            largest = max(share[y, x] for share in shares)
            found[0, y, x] = 1 - largest
            for c, share in enumerate(shares):
                found[c + 1, y, x] = share[y, x] if share[y, x] == largest else 0
    return found


def spread_plain(maps: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return one image's maps (K, h, w), spread by the similarity of features (D, h, w)."""
    height, width = maps.shape[1:]
    positions = [(y, x) for y in range(height) for x in range(width)]
    units = {p: features[:, p[0], p[1]] for p in positions}
    units = {p: f / (np.sqrt((f**2).sum()) + 1e-5) for p, f in units.items()}
    found = np.zeros_like(maps)
    for p in positions:
        total = 1e-5
        for q in positions:
            similarity = max(0.0, float(units[p] @ units[q]))
            total += similarity
            found[:, p[0], p[1]] += similarity * maps[:, q[0], q[1]]
        found[:, p[0], p[1]] /= total
    return found


def normalized_plain(image_map: np.ndarray) -> np.ndarray:
    """Return one map (h, w) in 0..1."""
    image_map = np.maximum(image_map, 0)
    low, high = image_map.min(), image_map.max()
    return np.maximum(image_map - low - 1e-5, 0) / (high - low + 1e-5)


def seam_terms_plain(first, second, image_labels: np.ndarray) -> dict[str, float]:
    """Return the official terms of (scores (B, C, h, w), refined (B, K, h, w), size) twice."""
    batch, classes = image_labels.shape
    labels = np.concatenate([np.ones((batch, 1)), image_labels], axis=1)
    terms, raw, refined = {}, [], []
    for number, (scores, maps, size) in enumerate((first, second), start=1):
        scores = np.array([[stretched(m, size) for m in image] for image in scores])
        maps = np.array([[stretched(m, size) for m in image] for image in maps])
        probability = 1 / (1 + np.exp(-scores.mean((2, 3))))
        likelihood = np.where(image_labels > 0, probability, 1 - probability)
        terms[f"classification_{number}"] = -np.log(likelihood).mean()
        lowest = []
        for image, present in zip(maps, image_labels, strict=True):
            largest = np.sort((image[1:] * present[:, None, None]).max(0).flatten())
            lowest.extend(np.maximum(largest[: len(largest) // 4], 0))
        terms[f"minimum_{number}"] = np.mean(lowest)
        for found, given, present in ((raw, scores, labels[:, 1:]), (refined, maps, labels)):
            found.append(
                np.array(
                    [
                        [present[b, c] * stretched(normalized_plain(m), second[2])
                         for c, m in enumerate(image)]
                        for b, image in enumerate(given)
                    ]
                )
            )  # fmt: skip
    terms["equivariance"] = np.abs(raw[0] - raw[1]).mean()
    for number, (own, other) in enumerate(((0, 1), (1, 0)), start=1):
        hardest = []
        for maps, target in zip(refined[own], raw[other], strict=True):
            differences = [np.abs(1 - target.max(0) - maps[0])]
            for c in range(classes):
                kept = np.where(target[c] == target.max(0), target[c], 0)
                differences.append(np.abs(kept - maps[c + 1]))
            ordered = np.sort(np.array(differences).flatten())[::-1]
            hardest.extend(ordered[: int(len(ordered) * 0.2)])
        terms[f"refinement_{number}"] = np.mean(hardest)
    return terms
