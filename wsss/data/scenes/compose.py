"""One image: choose a background and objects, draw them, read off picture and masks."""

from dataclasses import dataclass

import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.catalogue import BACKGROUNDS, OBJECTS
from wsss.data.scenes.clutter import add_clutter
from wsss.data.scenes.lighting import draw_light
from wsss.data.scenes.names import (
    BACKGROUND_OF_CLASS,
    FITTING,
    NEUTRAL_BACKGROUNDS,
    POOL_BACKGROUNDS,
)
from wsss.data.scenes.options import SceneOptions
from wsss.data.scenes.photograph import develop, read_masks

_SPLIT_CODES = {"train": 1, "val": 2, "ood": 3}
_ATTEMPTS = 50
_GOLDEN_RATIO = 0.6180339887498949


@dataclass(frozen=True)
class Scene:
    """One drawn image.

    image: uint8 (H, W, 3).
    mask: uint8 (H, W); 0 background, class k as k + 1, 255 borders and objects too small to count.
    spurious: uint8 (H, W); 0, or the value of the spurious background that is seen there.
    labels: the classes that count, in the order of the options.
    background: its name.
    kind: "labelled"; of the pool "easy", "hard" or "mislabelled".
    """

    image: np.ndarray
    mask: np.ndarray
    spurious: np.ndarray
    labels: tuple[str, ...]
    background: str
    kind: str


def draw_scene(options: SceneOptions, split: str, number: int) -> Scene:
    """Return the image of a split with that number: a pure function of its arguments.

    Raises:
        ValueError: The split is unknown, or objects are so small that none ever counts.
    """
    if split not in _SPLIT_CODES:
        raise ValueError(f"split {split!r} is unknown; the splits are {', '.join(_SPLIT_CODES)}")
    code = _SPLIT_CODES[split]
    rng = np.random.default_rng([options.random_seed, code, number])
    name = _main_class(options, code, number)
    if split != "ood":
        return _with_object(rng, options, name, kind="labelled")
    # Steps of the golden ratio: the shares of the pool hold for any number of images.
    start = np.random.default_rng([options.random_seed, code]).random()
    share = (start + number * _GOLDEN_RATIO) % 1
    if share < options.mislabelled_fraction:
        return _with_object(rng, options, name, kind="mislabelled")
    hard = share < options.mislabelled_fraction + options.hard_fraction
    return _without_object(rng, options, hard=hard)


def _main_class(options: SceneOptions, code: int, number: int) -> str:
    """Return the class of an image's main object: each once in as many images as classes."""
    round_number, turn = divmod(number, len(options.classes))
    rng = np.random.default_rng([options.random_seed, code, round_number, 1])
    return options.classes[rng.permutation(len(options.classes))[turn]]


def _with_object(rng: np.random.Generator, options: SceneOptions, name: str, *, kind: str) -> Scene:
    """Draw until the object of class `name` is large enough to count."""
    for _ in range(_ATTEMPTS):
        background = _choose_background(rng, options, name)
        canvas, places = _start(rng, options, background)
        classes = [name]
        if rng.random() < options.second_instance_probability:
            classes.append(name)
        others = [other for other in options.classes if other != name]
        if others and rng.random() < options.second_class_probability:
            classes.append(str(rng.choice(others)))
        drawn = _place_objects(canvas, options, background, places, classes)
        if rng.random() < 0.2:
            add_clutter(canvas, background, 1)
        scene = _finish(canvas, options, background, drawn, kind)
        if name in scene.labels:
            return scene
    raise ValueError(
        f"scenes: {name} stayed below 0.8 % of the image in {_ATTEMPTS} attempts; "
        "raise object_scale"
    )


def _without_object(rng: np.random.Generator, options: SceneOptions, *, hard: bool) -> Scene:
    """Draw a background alone: a class's own one if hard, else one that belongs to no class."""
    own = list(options.spurious_backgrounds)
    free = [name for name in BACKGROUND_OF_CLASS.values() if name not in own]
    background = str(rng.choice(own if hard else [*POOL_BACKGROUNDS, *free]))
    canvas, _ = _start(rng, options, background)
    return _finish(canvas, options, background, [], "hard" if hard else "easy")


def _choose_background(rng: np.random.Generator, options: SceneOptions, name: str) -> str:
    """Return the background for a class: its own, another class's, or a neutral one."""
    own = BACKGROUND_OF_CLASS.get(name)
    if own and rng.random() < options.own_background_probability:
        return own
    others = [background for background in options.spurious_backgrounds if background != own]
    if others and rng.random() < options.other_spurious_probability:
        return str(rng.choice(others))
    return str(rng.choice(NEUTRAL_BACKGROUNDS))


def _start(
    rng: np.random.Generator, options: SceneOptions, background: str
) -> tuple[Canvas, list[Place]]:
    """Return a canvas of twice the size with a background on it, and places to stand."""
    canvas = Canvas(rng, (2 * options.height, 2 * options.width), draw_light(rng))
    places = BACKGROUNDS[background](canvas)
    add_clutter(canvas, background, int(rng.integers(0, options.clutter + 1)))
    return canvas, places


def _place_objects(
    canvas: Canvas,
    options: SceneOptions,
    background: str,
    places: list[Place],
    classes: list[str],
) -> list[str]:
    """Draw the objects, the farthest first, and return their classes in that order."""
    rng = canvas.rng
    size = canvas.unit * options.object_scale * rng.uniform(0.85, 1.15) / len(classes) ** 0.25
    chosen: list[tuple[Place, str]] = []
    for name in classes:
        taken = [place for place, _ in chosen]
        suits = (name, background) in FITTING
        candidates = [place for place in places if suits and place not in taken]
        candidates = candidates or [_anywhere(canvas, name) for _ in range(4)]
        chosen.append((_farthest(rng, candidates, taken), name))
    chosen.sort(key=lambda item: item[0].y)
    for number, (place, name) in enumerate(chosen, start=1):
        OBJECTS[name](canvas.pen(instance=number), place, size * place.scale)
    return [name for _, name in chosen]


def _farthest(rng: np.random.Generator, candidates: list[Place], taken: list[Place]) -> Place:
    """Return the candidate farthest to the side of all that is taken; any, if nothing is."""
    if not taken:
        return candidates[rng.integers(len(candidates))]
    return max(candidates, key=lambda place: min(abs(place.x - other.x) for other in taken))


def _anywhere(canvas: Canvas, name: str) -> Place:
    """Return a place on a background that does not suit the class."""
    rng = canvas.rng
    x = canvas.width * rng.uniform(0.25, 0.75)
    if name == "aeroplane":
        y, angle = canvas.height * rng.uniform(0.25, 0.7), rng.uniform(-0.3, 0.5)
        return Place(x, y, surface="air", angle=angle)
    return Place(x, canvas.height * rng.uniform(0.66, 0.95))


def _finish(
    canvas: Canvas, options: SceneOptions, background: str, drawn: list[str], kind: str
) -> Scene:
    """Return the scene as it is stored; `drawn` are the classes of objects 1, 2, ..."""
    values = [options.classes.index(name) + 1 for name in drawn]
    mask, region, counted = read_masks(canvas, values)
    spurious = region * np.uint8(options.spurious_backgrounds.get(background, 0))
    seen = {drawn[number - 1] for number in counted}
    labels = tuple(name for name in options.classes if name in seen)
    return Scene(develop(canvas), mask, spurious, labels, background, kind)
