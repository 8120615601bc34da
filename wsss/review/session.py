"""The review of an OoD set: candidates, annotators, journals and what they come to.

Everything stands behind one lock, and an action is in its journal and in the decisions file before
it is answered. Actions that come while the file is written share the next writing.
"""

import logging
import threading
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsss.disk import WriteError
from wsss.ood.pruning import class_account
from wsss.review.annotator import Annotator
from wsss.review.decisions_file import DecisionsFile, row_text
from wsss.review.journal import ACTIONS, SUFFIX, Entry, Journal
from wsss.review.names import BY_HAND, annotator_name
from wsss.review.outcome import DISAGREE, LETTERS, Outcome, agreement, outcome_of, votes_of
from wsss.review.ranked import Ranked

log = logging.getLogger(__name__)

WORDS = ("keep", "reject", "")


class NothingLeftError(ValueError):
    """There is nothing to undo, or nothing to do again."""


def journals_folder(decisions: Path) -> Path:
    """Return where the journals of a decisions file stand."""
    return decisions.with_suffix(".journal")


class Review:
    """The review of one OoD set, for any number of annotators at once.

    Args:
        ranked: The candidates.
        decisions: The decisions file that the workflow reads; its journals stand beside it. Rows
            that somebody else wrote there are taken over.
        wanted: Images to keep for each class, None if every candidate wants a decision.
        now: Tells the time, in seconds since 1970.

    Raises:
        ValueError: A journal or the decisions file is damaged.
        WriteError: The disk does not take the decisions file.
    """

    def __init__(
        self,
        ranked: Ranked,
        decisions: Path,
        *,
        wanted: int | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.ranked = ranked
        self.wanted = wanted
        self.folder = journals_folder(decisions)
        self._now = now
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        self._number_of = {image_id: n for n, image_id in enumerate(ranked.image_ids)}
        self._journals: dict[str, Journal] = {}
        self._annotators: dict[str, Annotator] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._rows: dict[str, str] = {}
        self._row_order: list[tuple[int, str]] = []
        # By class, and last for all images once: how many images have each letter.
        self._counts = [Counter({"-": len(own)}) for own in ranked.members]
        self._counts.append(Counter({"-": len(ranked.image_ids)}))
        self._own_counts: dict[str, list[int]] = {}
        self._counted: dict[str, set[str]] = {}
        self._unsettled: set[str] = set()
        self._agreement: tuple[int, list[dict[str, Any]]] = (-1, [])
        self._written = -1
        self.changes = 0
        self.problem = ""
        self._file = DecisionsFile(decisions, self.folder)
        self._replay()
        self._take_over()
        self._export()

    # What there is

    @property
    def annotators(self) -> list[str]:
        """The names of all who have a journal."""
        with self._lock:
            return sorted(self._annotators)

    def name(self, text: str) -> str:
        """Return an annotator's name as it is stored.

        Raises:
            ValueError: It is none.
        """
        return annotator_name(text, known=self.annotators)

    def status(self, annotator: str | None) -> dict[str, Any]:
        """Return how far everybody has come, and what this annotator can undo."""
        with self._lock:
            own = self._annotators.get(annotator or "", Annotator())
            own_counts = self._own_counts.get(annotator or "", [0] * len(self.ranked.classes))
            accounts = [
                asdict(class_account(len(members), counts["k"], counts["r"], wanted=self.wanted))
                | {"own_decided": decided}
                for members, counts, decided in zip(
                    self.ranked.members, self._counts, own_counts, strict=False
                )
            ]
            images, counts = len(self.ranked.image_ids), self._counts[-1]
            total = asdict(class_account(images, counts["k"], counts["r"], wanted=None))
            total["images"] = total.pop("ranked")
            return {
                "changes": self.changes,
                "can_undo": own.can("undo"),
                "can_redo": own.can("redo"),
                "accounts": accounts,
                "total": total,
                "disagreements": len(self._unsettled),
                "agreement": self._pairs(),
                "seconds_per_decision": own.spent / own.count if own.count else None,
                "seconds_spent": own.spent,
                "problem": self.problem,
            }

    def candidates(self, class_id: int, annotator: str | None) -> dict[str, Any]:
        """Return the candidates of a class as columns, with own and common decisions.

        Raises:
            LookupError: There is no such class.
        """
        if not 0 <= class_id < len(self.ranked.classes):
            raise LookupError(f"there is no class number {class_id}")
        numbers = self.ranked.members[class_id]
        ids = [self.ranked.image_ids[number] for number in numbers]
        with self._lock:
            return {
                "class": class_id,
                "images": list(numbers),
                "scores": [round(score, 4) for score in self.ranked.scores[class_id]],
                "ids": ids,
                "own": "".join(self._own_letter(image_id, annotator) for image_id in ids),
                "final": "".join(self._outcome(image_id).letter for image_id in ids),
            }

    def disagreements(self) -> dict[str, Any]:
        """Return the images on which annotators differ as columns, the unsettled first."""
        with self._lock:
            numbers = sorted(
                (
                    self._number_of[image_id]
                    for image_id, outcome in self._outcomes.items()
                    if outcome.disagree and image_id in self._number_of
                ),
                key=lambda n: (self.ranked.image_ids[n] not in self._unsettled, n),
            )
            ids = [self.ranked.image_ids[number] for number in numbers]
            return {
                "images": numbers,
                "ids": ids,
                "classes": [list(self.ranked.classes_of[number]) for number in numbers],
                "scores": [self._scores_of(number) for number in numbers],
                "votes": [
                    [
                        [name, own.decisions[image_id]]
                        for name, own in sorted(self._annotators.items())
                        if image_id in own.decisions
                    ]
                    for image_id in ids
                ],
                "settled": [self._settled(image_id) for image_id in ids],
            }

    # What is done

    def act(
        self,
        annotator: str,
        *,
        action_id: str,
        action: str,
        images: Sequence[int] = (),
        decision: str = "",
        class_id: int | None = None,
    ) -> dict[str, Any]:
        """Do what an annotator asks for, and return what changed once it is on the disk.

        An action that comes a second time, by its id, is done once and answered again.

        Raises:
            NothingLeftError: There is nothing to undo or to do again.
            LookupError: An image or a class does not exist.
            ValueError: The request contradicts itself.
            WriteError: The disk does not take the decision; nothing changed.
        """
        with self._lock:
            own = self._annotators.get(annotator, Annotator())
            if action_id not in own.answered:
                entry = self._entry(action_id, action, images, decision, class_id)
                if not own.can(action):
                    raise NothingLeftError(f"there is nothing to {action}")
                self._journal(annotator).append(entry)
                self._apply(annotator, entry)
            own = self._annotators[annotator]
            of, class_name, image_ids = own.answered[action_id]
        self._export()
        with self._lock:
            known = [image_id for image_id in image_ids if image_id in self._number_of]
            return {
                "changed": [
                    [
                        self._number_of[image_id],
                        self._own_letter(image_id, annotator),
                        self._outcome(image_id).letter,
                    ]
                    for image_id in known
                ],
                "images": [self._number_of[image_id] for image_id in known],
                "action": action,
                "of": of or None,
                "class": self._class_id(class_name),
                "status": self.status(annotator),
            }

    def close(self) -> None:
        """Write what is left and close all files."""
        self._export()
        with self._lock:
            for journal in self._journals.values():
                journal.close()

    def _entry(
        self,
        action_id: str,
        action: str,
        images: Sequence[int],
        decision: str,
        class_id: int | None,
    ) -> Entry:
        if decision not in WORDS:
            raise ValueError(f"{decision!r} is no decision: it is keep, reject or nothing")
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is no action: it is one of {', '.join(ACTIONS)}")
        decides = action in ("decide", "settle")
        if decides != bool(images):
            raise ValueError(f"the action {action} came with {len(images)} images")
        if not all(0 <= number < len(self.ranked.image_ids) for number in images):
            raise LookupError(f"there are {len(self.ranked.image_ids)} images, counted from 0")
        if class_id is not None and not 0 <= class_id < len(self.ranked.classes):
            raise LookupError(f"there is no class number {class_id}")
        class_name = "" if class_id is None else self.ranked.classes[class_id]
        image_ids = tuple(self.ranked.image_ids[number] for number in dict.fromkeys(images))
        return Entry(action_id, self._now(), action, image_ids, decision, class_name)

    def _journal(self, annotator: str) -> Journal:
        if annotator not in self._journals:
            self._journals[annotator] = Journal(self.folder / f"{annotator}{SUFFIX}")
        return self._journals[annotator]

    def _apply(self, annotator: str, entry: Entry) -> None:
        """Do what a journal says, and bring the common state up to date."""
        own = self._annotators.setdefault(annotator, Annotator())
        for image_id in own.apply(entry):
            self._count_own(annotator, image_id, decided=image_id in own.decisions)
            self._refresh(image_id)
        self.changes += entry.action != "open"

    def _count_own(self, annotator: str, image_id: str, *, decided: bool) -> None:
        counted = self._counted.setdefault(annotator, set())
        counts = self._own_counts.setdefault(annotator, [0] * len(self.ranked.classes))
        if decided == (image_id in counted):
            return
        (counted.add if decided else counted.remove)(image_id)
        for class_id in self._classes_of(image_id):
            counts[class_id] += 1 if decided else -1

    def _refresh(self, image_id: str) -> None:
        """Take the outcome of an image anew, and its row in the decisions file."""
        before, outcome = self._outcome(image_id), outcome_of(image_id, self._annotators)
        self._outcomes[image_id] = outcome
        if image_id in self._number_of:
            for class_id in (*self._classes_of(image_id), -1):
                self._counts[class_id][before.letter] -= 1
                self._counts[class_id][outcome.letter] += 1
            if outcome.letter == DISAGREE:
                self._unsettled.add(image_id)
            else:
                self._unsettled.discard(image_id)
        if image_id not in self._rows:
            number = self._number_of.get(image_id, len(self._number_of))
            insort(self._row_order, (number, image_id))
        self._rows[image_id] = row_text(
            image_id, outcome.decision, outcome.decided_by, votes_of(image_id, self._annotators)
        )

    # From and to the disk

    def _replay(self) -> None:
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            name = annotator_name(path.name.removesuffix(SUFFIX), known=self._annotators)
            for entry in self._journal(name).entries:
                try:
                    self._apply(name, entry)
                except ValueError as error:
                    raise ValueError(
                        f"journal {path} does not fit together ({error}): bring it back from a copy"
                    ) from None

    def _take_over(self) -> None:
        """Take over what was written into the decisions file by other means than the page."""
        rows = self._file.changes_of_others()
        if rows is None:
            return
        changed = [
            (image_id, word, by)
            for image_id, word, by in rows
            if word != self._outcome(image_id).decision and (word or image_id in self._outcomes)
        ]
        first = not self._outcomes
        groups: dict[tuple[str, str], list[str]] = {}
        for image_id, word, by in changed:
            name = self._name_or_by_hand(by) if first else BY_HAND
            groups.setdefault((name, word), []).append(image_id)
        for (name, word), image_ids in groups.items():
            action = "decide" if first else "settle"
            action_id = f"{self._file.path.name} {len(self._journal(name).entries)}"
            entry = Entry(action_id, self._now(), action, tuple(dict.fromkeys(image_ids)), word)
            self._journal(name).append(entry)
            self._apply(name, entry)
        if changed:
            log.info("%d decisions of %s were taken over", len(changed), self._file.path)

    def _name_or_by_hand(self, text: str) -> str:
        try:
            return annotator_name(text, known=self._annotators)
        except ValueError:
            return BY_HAND

    def _export(self) -> None:
        """Write the decisions file, unless a later state than the caller's is there already."""
        with self._lock:
            wanted = self.changes
        with self._writing:
            with self._lock:
                if (self._written >= wanted and not self.problem) or not self._rows:
                    return
                reached = self.changes
                lines = [self._rows[image_id] for _, image_id in self._row_order]
            try:
                self._file.write(lines)
            except WriteError as error:
                # The journal has the decision: nothing is lost, but the workflow does not see it.
                self.problem = str(error)
                log.error("%s", error)
                return
            self._written, self.problem = reached, ""

    # Small things

    def _outcome(self, image_id: str) -> Outcome:
        return self._outcomes.get(image_id) or Outcome("", "", False, "")

    def _own_letter(self, image_id: str, annotator: str | None) -> str:
        own = self._annotators.get(annotator or "")
        return LETTERS[own.decisions.get(image_id, "") if own else ""]

    def _settled(self, image_id: str) -> list[str] | None:
        outcome = self._outcome(image_id)
        return [outcome.settled_by, outcome.decision] if outcome.settled_by else None

    def _classes_of(self, image_id: str) -> Sequence[int]:
        number = self._number_of.get(image_id)
        return () if number is None else self.ranked.classes_of[number]

    def _class_id(self, class_name: str) -> int | None:
        return self.ranked.classes.index(class_name) if class_name in self.ranked.classes else None

    def _scores_of(self, number: int) -> list[float]:
        return [
            round(self.ranked.scores[c][self.ranked.members[c].index(number)], 4)
            for c in self.ranked.classes_of[number]
        ]

    def _pairs(self) -> list[dict[str, Any]]:
        if self._agreement[0] != self.changes:
            self._agreement = (self.changes, agreement(self._annotators))
        return self._agreement[1]
