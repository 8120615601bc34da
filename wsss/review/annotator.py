"""What an annotator decided: the replay of a journal, with undo and redo without limit."""

from dataclasses import dataclass, field

from wsss.review.journal import Entry

PAUSE_SECONDS = 60.0
"""A longer time between two actions is a break, and counts for nothing."""


@dataclass(frozen=True)
class Settled:
    """A disagreement settled: the decision, or nothing where that was withdrawn, and when."""

    decision: str
    time: float


@dataclass(frozen=True)
class Done:
    """An action that may be undone: what it was, and each image's state before and after.

    The states are words of `decide` and `Settled` of `settle`; None is none at all.
    """

    action: str
    class_name: str
    before: dict[str, str | Settled | None]
    after: dict[str, str | Settled | None]


@dataclass
class Annotator:
    """One annotator's decisions so far.

    Attributes:
        decisions: "keep" or "reject" by image id; withdrawn ones are not there.
        settled: Disagreements that this annotator settled, by image id.
        seconds: Time spent on each image that was ever decided, without breaks.
        spent: All of it, in seconds, with that of undoing.
        count: Decisions taken, each image counted.
        answered: What came of each action, by its id: (what was undone or done again or nothing,
            the class it was done in, its images).
    """

    decisions: dict[str, str] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    spent: float = 0.0
    count: int = 0
    answered: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    _done: list[Done] = field(default_factory=list)
    _undone: list[Done] = field(default_factory=list)
    _last: float | None = None

    def can(self, action: str) -> bool:
        """Return whether an action is possible now: there may be nothing to undo or redo."""
        stacks = {"undo": self._done, "redo": self._undone}
        return bool(stacks[action]) if action in stacks else True

    def apply(self, entry: Entry) -> tuple[str, ...]:
        """Do what an entry says, and return the images whose state may have changed.

        Raises:
            ValueError: There is nothing to undo, or nothing to do again.
        """
        if not self.can(entry.action):
            raise ValueError(f"there is nothing to {entry.action}")
        of, class_name, images = "", entry.class_name, entry.images
        if entry.action in ("undo", "redo"):
            done = self._take_back() if entry.action == "undo" else self._do_again()
            of, class_name, images = done.action, done.class_name, tuple(done.before)
        elif entry.action in ("decide", "settle"):
            self._do(entry)
            self.count += len(images)
        self._count_time(entry, images)
        self.answered[entry.id] = (of, class_name, images)
        return images

    def _do(self, entry: Entry) -> None:
        after: str | Settled | None = entry.decision or None
        if entry.action == "settle":
            after = Settled(entry.decision, entry.time)
        states = self._states(entry.action)
        before = {image_id: states.get(image_id) for image_id in entry.images}
        done = Done(entry.action, entry.class_name, before, dict.fromkeys(entry.images, after))
        self._set(done.action, done.after)
        self._done.append(done)
        self._undone.clear()

    def _take_back(self) -> Done:
        done = self._done.pop()
        self._set(done.action, done.before)
        self._undone.append(done)
        return done

    def _do_again(self) -> Done:
        done = self._undone.pop()
        self._set(done.action, done.after)
        self._done.append(done)
        return done

    def _states(self, action: str) -> dict:
        return self.settled if action == "settle" else self.decisions

    def _set(self, action: str, values: dict[str, str | Settled | None]) -> None:
        states = self._states(action)
        for image_id, value in values.items():
            if value is None:
                states.pop(image_id, None)
            else:
                states[image_id] = value

    def _count_time(self, entry: Entry, images: tuple[str, ...]) -> None:
        gap = 0.0 if self._last is None else entry.time - self._last
        self._last = entry.time
        if not 0 <= gap <= PAUSE_SECONDS:
            gap = 0.0
        if entry.action == "open":
            return
        self.spent += gap
        for image_id in images:
            self.seconds[image_id] = self.seconds.get(image_id, 0.0) + gap / len(images)
