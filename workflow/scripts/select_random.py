"""Select candidate OoD images at random, whatever a classifier says of them."""

from pathlib import Path

from wsss.data.candidates import read_candidates
from wsss.data.selected import set_size, with_paths
from wsss.logs import log_to
from wsss.ood.select import select_random
from wsss.store.tables import write_table

log_to(snakemake.log[0])
candidates = Path(snakemake.input.candidates)
selected = select_random(
    [record.image_id for record in read_candidates(candidates)],
    size=set_size(snakemake.params.options["size"], snakemake.input.get("equal_set")),
    random_seed=snakemake.params.options["random_seed"],
)
write_table(snakemake.output.selected, with_paths(candidates, selected))
