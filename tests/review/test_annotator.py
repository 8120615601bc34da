"""The replay of a journal: decisions, undo and redo without limit, and the time it took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsss.review.annotator import Annotator, Settled
from wsss.review.journal import Entry


class Clock:
    def __init__(self):
        self.time, self.count = 1000.0, 0

    def entry(self, action, *images, decision="", after=1.0, class_name="train"):
        self.time += after
        self.count += 1
        return Entry(str(self.count), self.time, action, images, decision, class_name)


@pytest.fixture
def clock():
    return Clock()


def test_the_last_decision_counts_and_an_empty_one_withdraws(clock):
    own = Annotator()
    own.apply(clock.entry("decide", "a", "b", decision="keep"))
    own.apply(clock.entry("decide", "b", decision="reject"))
    assert own.decisions == {"a": "keep", "b": "reject"}
    own.apply(clock.entry("decide", "a", decision=""))
    assert own.decisions == {"b": "reject"}
    assert own.count == 4


def test_undo_and_redo_go_through_everything_and_back(clock):
    own = Annotator()
    own.apply(clock.entry("decide", "a", "b", decision="keep"))
    own.apply(clock.entry("decide", "b", "c", decision="reject", class_name="boat"))
    assert own.apply(clock.entry("undo")) == ("b", "c")
    assert own.decisions == {"a": "keep", "b": "keep"}
    assert own.answered["3"] == ("decide", "boat", ("b", "c"))
    own.apply(clock.entry("undo"))
    assert own.decisions == {} and not own.can("undo")
    own.apply(clock.entry("redo"))
    own.apply(clock.entry("redo"))
    assert own.decisions == {"a": "keep", "b": "reject", "c": "reject"} and not own.can("redo")


def test_a_decision_after_an_undo_ends_what_could_be_done_again(clock):
    own = Annotator()
    own.apply(clock.entry("decide", "a", decision="keep"))
    own.apply(clock.entry("undo"))
    own.apply(clock.entry("decide", "b", decision="keep"))
    assert not own.can("redo")
    with pytest.raises(ValueError, match="nothing to redo"):
        own.apply(clock.entry("redo"))


def test_settling_is_undone_like_a_decision_and_leaves_those_alone(clock):
    own = Annotator()
    own.apply(clock.entry("decide", "a", decision="keep"))
    own.apply(clock.entry("settle", "a", decision="reject"))
    assert own.decisions == {"a": "keep"} and own.settled == {"a": Settled("reject", 1002.0)}
    own.apply(clock.entry("undo"))
    assert own.decisions == {"a": "keep"} and own.settled == {}


def test_time_is_counted_between_actions_but_not_over_breaks(clock):
    own = Annotator()
    own.apply(clock.entry("decide", "a", decision="keep", after=99))
    assert own.spent == 0  # Nobody knows when that person began.
    own.apply(clock.entry("open", after=5000))
    own.apply(clock.entry("decide", "b", "c", decision="keep", after=3))
    own.apply(clock.entry("decide", "b", decision="reject", after=2))
    own.apply(clock.entry("decide", "a", decision="reject", after=61))
    own.apply(clock.entry("decide", "a", decision="keep", after=-7))  # A clock was put back.
    own.apply(clock.entry("undo", after=4))
    assert own.spent == 3 + 2 + 4
    assert own.seconds == {"a": 4, "b": 1.5 + 2, "c": 1.5}


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sets(st.sampled_from("abcd"), min_size=1),
                  st.sampled_from(["keep", "reject", ""])),
        st.tuples(st.just("undo")), st.tuples(st.just("redo")),
    ),
    max_size=40,
)  # fmt: skip


@given(ACTIONS)
def test_undo_agrees_with_a_history_of_whole_states(actions):
    """The slow way: all states so far in a list, and where in it one stands."""
    clock, own = Clock(), Annotator()
    history, place = [{}], 0
    for action, *what in actions:
        if action == "decide":
            images, word = what
            state = dict(history[place])
            for image in images:
                state.pop(image, None)
                state |= {image: word} if word else {}
            history, place = [*history[: place + 1], state], place + 1
            own.apply(clock.entry("decide", *sorted(images), decision=word))
        else:
            step = -1 if action == "undo" else 1
            possible = 0 <= place + step < len(history)
            assert own.can(action) == possible
            if possible:
                place += step
                own.apply(clock.entry(action))
        assert own.decisions == history[place]
