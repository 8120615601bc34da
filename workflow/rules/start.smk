# Before anything else: can the engine work here, and what do its stages know of it?
import logging
import os
from pathlib import Path

from wsss.disk import WriteError, check_writable
from wsss.logs import ENGINE
from wsss.processes import process_identity

try:
    check_writable(Path(".snakemake"))
except WriteError as error:
    # The engine would add the tracebacks of its own log, which stands there too.
    logging.raiseExceptions = False
    raise WorkflowError(str(error)) from None

# A stage ends soon after the engine that started it.
os.environ[ENGINE] = process_identity()
