"""What holds for every test."""

import logging
import sys

import pytest


@pytest.fixture(autouse=True)
def restored_logging():
    """Put the process's logging back as it was: stages and the command line set it up anew."""
    root, bars = logging.getLogger(), logging.getLogger("wsss.progress")
    before = list(root.handlers), root.level, bars.level, sys.excepthook
    yield
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers[:], root.level, bars.level, sys.excepthook = before
    logging.captureWarnings(capture=False)
