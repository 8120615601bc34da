# At the end of a dry run: what the run would take. Nothing here can stop a run.
import atexit
import os
import sys
from pathlib import Path

from wsss.plan.jobs import PLAN


def tell_plan():
    """Write the jobs to the file that `wsss plan` waits for, else tell their work in a few lines."""
    # Set once the jobs are known, which an error or another command may prevent.
    if not workflow.dryrun or workflow.scheduler is None:
        return
    quiet = {str(part) for part in workflow.output_settings.quiet or ()}
    # With --quiet, what the jobs ask for is not computed yet: ten seconds for ten thousand.
    if not os.environ.get(PLAN) and ("all" in quiet or {"rules", "progress"} <= quiet):
        return
    try:
        from wsss.plan.telling import tell

        tell(
            workflow.dag.needrun_jobs(exclude_finished=False),
            config,
            Path(R),
            file=os.environ.get(PLAN),
        )
    except Exception as error:
        # The plan is an extra: whatever is wrong with it, the dry run was right.
        sys.stdout.write(f"The work cannot be told: {type(error).__name__}: {error}\n")


if workflow.is_main_process:
    # A dry run calls no onsuccess.
    atexit.register(tell_plan)
