"""Write the resolved config beside the results that it made."""

import yaml

from wsss.logs import log_to
from wsss.store.atomic import atomic_path

log_to(snakemake.log[0])
with atomic_path(snakemake.output.config) as path:
    path.write_text(yaml.safe_dump(snakemake.params.config, sort_keys=True, allow_unicode=True))
