# Before anything else: can the engine work here, and what do its stages know of it?
import logging
import os
import sys
from pathlib import Path

from wsss.disk import WriteError, check_writable
from wsss.engine.slurm_plugin import PluginError, mend
from wsss.engine.start import begin_run
from wsss.logs import ENGINE
from wsss.processes import process_identity

try:
    check_writable(Path(".snakemake"))
    if slurm_plugin := sys.modules.get("snakemake_executor_plugin_slurm"):
        mend(slurm_plugin)
except (WriteError, PluginError) as error:
    # The engine would add the tracebacks of its own log, which stands there too.
    logging.raiseExceptions = False
    raise WorkflowError(str(error)) from None

# A stage ends soon after the engine that started it.
os.environ[ENGINE] = process_identity()


onstart:
    try:
        to_slurm = workflow.executor_plugin.name == "slurm"
        begin_run(Path(), workflow.executor_settings if to_slurm else None)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
