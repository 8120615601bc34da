"""Where a stage's messages go: its log file, and one sentence for a person."""

import logging
import os
import sys
from pathlib import Path
from types import TracebackType

from wsss import slurm
from wsss.disk import write_errors
from wsss.holds import take_hold
from wsss.processes import end_with

ENGINE = "WSSS_ENGINE"
"""Environment variable with the identity of the process that starts the stages."""
RANKS = "WSSS_RANKS"
"""Environment variable of the ranks of a training (wsss.train.launch): a folder that they share."""


def log_to(path: str | Path) -> None:
    """Send log lines to a file, and an uncaught error's sentence to standard error as well.

    The file gets the whole traceback; a person at the terminal gets what is wrong and what to do.
    While the same stage of another run is at work, this one waits. The process ends soon after the
    engine that started it. The ranks of a training go on in the file of their launcher, which has
    the hold; all but the first write nothing but errors.

    Raises:
        WriteError: The log cannot be written.
    """
    path = Path(path)
    is_rank = RANKS in os.environ

    def report(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        details = ""
        if root.handlers:
            logging.getLogger("wsss").error("%s", error, exc_info=(kind, error, traceback))
            details = f" (details: {path})"
        sys.stderr.write(f"{kind.__name__}: {error}{details}\n")

    root = logging.getLogger()
    sys.excepthook = report
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    if engine := os.environ.get(ENGINE):
        end_with(engine)
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not the log itself: the engine deletes that of an earlier run before it starts the stage.
        said = "" if is_rank else take_hold(path.with_name(f".{path.name}.hold"))
        file = _LogFile(path, anew=not is_rank)
    if is_rank and os.environ["RANK"] != "0":
        file.setLevel(logging.ERROR)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(file)
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    log = logging.getLogger(__name__)
    if place := slurm.own_place():
        log.info(place)
    if said:
        log.warning(said)


class _LogFile(logging.Handler):
    """Appends lines to a file without a buffer; a disk that takes no line does not stop a stage."""

    def __init__(self, path: Path, *, anew: bool) -> None:
        super().__init__()
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if anew else 0)
        self.descriptor = os.open(path, flags, 0o666)
        self.loses_lines = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            os.write(self.descriptor, f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except OSError as error:
            if not self.loses_lines:
                sys.stderr.write(f"{self.path} loses lines: {error.strerror}\n")
            self.loses_lines = True
        except (TypeError, ValueError, LookupError):
            # A call with arguments that do not fit its text, in some library.
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
        super().close()
