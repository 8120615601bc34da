"""Join the metrics, threshold curves and training logs of all chains."""

from pathlib import Path

from wsss.logs import log_to
from wsss.report.collect import CURVE_COLUMNS, METRIC_COLUMNS, collect_tables, collect_training
from wsss.store.tables import write_table

log_to(snakemake.log[0])
inputs, outputs = snakemake.input, snakemake.output
write_table(outputs.metrics, collect_tables([Path(p) for p in inputs.metrics], METRIC_COLUMNS))
write_table(outputs.curves, collect_tables([Path(p) for p in inputs.curves], CURVE_COLUMNS))
write_table(outputs.training, collect_training([Path(p) for p in inputs.training]))
