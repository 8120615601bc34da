import io
import logging

import pytest

from wsss import progress as module
from wsss.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that each look moves on by four seconds."""
    times = iter(range(0, 10_000, 4))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(times)))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_through(caplog):
    with caplog.at_level(logging.INFO):
        assert list(progress("abc", total=3, description="look")) == ["a", "b", "c"]
    assert "look: 3 of 3 images" in caplog.messages[-1]


def test_a_line_every_ten_seconds_and_one_at_the_end(clock, caplog):
    with caplog.at_level(logging.INFO):
        list(progress(range(7), total=7, description="look", unit="maps"))
    assert [message.split(",")[0] for message in caplog.messages] == [
        "look: 3 of 7 maps", "look: 6 of 7 maps", "look: 7 of 7 maps in 32.00 s",
    ]  # fmt: skip
    assert caplog.messages[0].endswith("0.2 maps/s")


def test_an_item_may_stand_for_several_units(caplog):
    with caplog.at_level(logging.INFO):
        list(progress([[1, 2], [3]], total=3, description="look", weight=len))
    assert "3 of 3 images" in caplog.messages[-1]


def test_waiting_for_inputs_is_told_apart_from_work(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def source():
        for item in "ab":
            now[0] += 3
            yield item

    with caplog.at_level(logging.INFO):
        for _ in progress(source(), total=2, description="look", inputs=True):
            now[0] += 1
    assert caplog.messages == [
        "look: 2 of 2 images in 8.00 s, 0.2 images/s, 75% of the time waiting"
    ]


def test_nothing_to_do(caplog):
    with caplog.at_level(logging.INFO):
        assert list(progress([], total=0, description="look")) == []
    assert "0 of 0 images" in caplog.messages[-1]


def test_a_bar_on_a_terminal(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(module.sys, "stderr", terminal)
    with caplog.at_level(logging.WARNING):
        assert list(progress([[1, 2], [3]], total=3, description="look", weight=len))
    assert "look" in terminal.getvalue() and "3/3" in terminal.getvalue()
    assert not caplog.messages


def test_no_bar_in_a_terminal_where_a_log_is_written(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(module.sys, "stderr", terminal)
    with caplog.at_level(logging.INFO):
        list(progress("abc", total=3, description="look"))
    assert terminal.getvalue() == "" and caplog.messages


def test_a_reader_that_stops_early_closes_the_source():
    closed = []

    def source():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    items = progress(source(), total=10, description="look")
    next(items)
    items.close()
    del items
    assert closed == [True]
