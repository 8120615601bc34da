"""Select candidate OoD images at random, whatever a classifier says of them."""

from wsss.data.index import read_index
from wsss.data.selected import set_size, with_paths
from wsss.logs import log_to
from wsss.ood.select import select_random
from wsss.store.tables import write_table

log_to(snakemake.log[0])
index = read_index(snakemake.input.index, snakemake.input.classes)
selected = select_random(
    [record.image_id for record in index.split("ood")],
    size=set_size(snakemake.params.options["size"], snakemake.input.get("equal_set")),
    random_seed=snakemake.params.options["random_seed"],
)
write_table(snakemake.output.selected, with_paths(index, selected))
