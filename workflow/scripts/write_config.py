"""Write the resolved config beside the results that it made."""

from wsss.config.files import config_text
from wsss.logs import log_to
from wsss.store.atomic import atomic_path

log_to(snakemake.log[0])
with atomic_path(snakemake.output.config) as path:
    path.write_text(config_text(snakemake.config))
