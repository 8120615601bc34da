"""Select ranked candidate OoD images at random, without pruning."""

from wsss.data.index import read_index
from wsss.data.selected import set_size, with_paths
from wsss.logs import log_to
from wsss.ood.rank import RANKING_COLUMNS
from wsss.ood.select import select_random_hard
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
index = read_index(snakemake.input.index, snakemake.input.classes)
selected = select_random_hard(
    read_table(snakemake.input.ranking, RANKING_COLUMNS),
    size=set_size(snakemake.params.options["size"], snakemake.input.get("equal_set")),
    random_seed=snakemake.params.options["random_seed"],
)
write_table(snakemake.output.selected, with_paths(index, selected))
