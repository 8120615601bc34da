"""Keep every ranked candidate."""

from wsss.logs import log_to
from wsss.ood.decisions import decision_summary, keep_all
from wsss.ood.rank import RANKING_COLUMNS
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
ranking = read_table(snakemake.input.ranking, RANKING_COLUMNS)
decisions = keep_all(ranking)
write_table(snakemake.output.summary, decision_summary(decisions, ranking, wanted=None))
write_table(snakemake.output.decisions, decisions)
