"""Where a stage's messages go: its log file, and one sentence for a person."""

import logging
import sys
from pathlib import Path
from types import TracebackType


def log_to(path: str | Path) -> None:
    """Send log lines to a file, and an uncaught error's sentence to standard error as well.

    The file gets the whole traceback; a person at the terminal gets what is wrong and what to do.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(capture=True)

    def report(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        logging.getLogger("wsss").error("%s", error, exc_info=(kind, error, traceback))
        sys.stderr.write(f"{kind.__name__}: {error} (details: {path})\n")

    sys.excepthook = report
