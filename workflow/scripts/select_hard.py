"""Select the hard OoD images: ranked and kept."""

from pathlib import Path

from wsss.data.selected import set_size, with_paths
from wsss.logs import log_to
from wsss.ood.decisions import DECISION_COLUMNS
from wsss.ood.rank import RANKING_COLUMNS
from wsss.ood.select import select_hard
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
selected = select_hard(
    read_table(snakemake.input.ranking, RANKING_COLUMNS),
    read_table(snakemake.input.decisions, DECISION_COLUMNS),
    size=set_size(snakemake.params.options["size"], snakemake.input.get("equal_set")),
)
write_table(snakemake.output.selected, with_paths(Path(snakemake.input.candidates), selected))
