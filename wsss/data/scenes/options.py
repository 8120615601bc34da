"""What the generator can be asked for."""

from dataclasses import dataclass

from wsss.data.scenes.names import BACKGROUND_OF_CLASS, CLASSES

SMALLEST_SIDE = 32


@dataclass(frozen=True)
class SceneOptions:
    """Options that decide every pixel; checked when made.

    height, width: size of the images, pixels.
    classes: the foreground classes; class k is k + 1 in the masks.
    own_background_probability: that an object stands on its class's own background.
    other_spurious_probability: that an object which does not stands on another class's background.
    second_instance_probability: that a second object of the class is drawn.
    second_class_probability: that an object of another class is drawn too.
    object_scale: size of the objects; 1 gives about 16 % of an image.
    clutter: the largest number of small things of no class in an image.
    mislabelled_fraction: share of the pool that shows a foreground object.
    hard_fraction: share of the pool that shows a spurious background without its object.
    random_seed: with the split and number of an image, the seed of its generator.

    Raises:
        ValueError: A class is unknown or repeats, an image is too small, or a share out of range.
    """

    height: int
    width: int
    classes: tuple[str, ...]
    own_background_probability: float
    other_spurious_probability: float
    second_instance_probability: float
    second_class_probability: float
    object_scale: float
    clutter: int
    mislabelled_fraction: float
    hard_fraction: float
    random_seed: int

    def __post_init__(self) -> None:
        """Check the options."""
        unknown = [name for name in self.classes if name not in CLASSES]
        if unknown or not self.classes:
            raise ValueError(
                f"scenes cannot draw the class(es) {', '.join(unknown) or '(none given)'}; "
                f"choose from {', '.join(CLASSES)}"
            )
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"scenes: a class is named twice in {', '.join(self.classes)}")
        if min(self.height, self.width) < SMALLEST_SIDE:
            raise ValueError(
                f"scenes: images of {self.height} x {self.width} are too small to show anything; "
                f"each side needs {SMALLEST_SIDE} pixels"
            )
        if not 0.3 <= self.object_scale <= 2:
            raise ValueError(f"scenes: object_scale {self.object_scale} is not between 0.3 and 2")
        if self.clutter < 0 or self.random_seed < 0:
            raise ValueError("scenes: clutter and random_seed must not be negative")
        self._check_shares()

    def _check_shares(self) -> None:
        names = [
            name for name in self.__dataclass_fields__ if name.endswith(("ability", "fraction"))
        ]
        for name in names:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"scenes: {name} {getattr(self, name)} is not between 0 and 1")
        if self.mislabelled_fraction + self.hard_fraction > 1:
            raise ValueError(
                "scenes: mislabelled_fraction and hard_fraction together exceed 1; lower one"
            )
        if self.hard_fraction > 0 and not self.spurious_backgrounds:
            raise ValueError(
                f"scenes: no class of {', '.join(self.classes)} has a background of its own, so "
                "there are no hard OoD images; set hard_fraction to 0 or add a class"
            )

    @property
    def spurious_backgrounds(self) -> dict[str, int]:
        """The spurious backgrounds of the classes, each with its value in the spurious masks."""
        names = [BACKGROUND_OF_CLASS[name] for name in self.classes if name in BACKGROUND_OF_CLASS]
        return {name: index + 1 for index, name in enumerate(names)}
