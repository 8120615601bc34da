"""Decide on ranked candidates by their true image labels (ground truth, in a person's stead)."""

from wsss.data.index import read_ground_truth
from wsss.logs import log_to
from wsss.ood.decisions import decide_by_oracle, decision_summary
from wsss.ood.rank import RANKING_COLUMNS
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
ranking = read_table(snakemake.input.ranking, RANKING_COLUMNS)
truth = read_ground_truth(snakemake.input.ground_truth)
decisions = decide_by_oracle(ranking, {name: record.labels for name, record in truth.items()})
write_table(snakemake.output.summary, decision_summary(decisions, ranking, wanted=None))
write_table(snakemake.output.decisions, decisions)
