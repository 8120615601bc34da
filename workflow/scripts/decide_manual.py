"""Take over a person's decisions on ranked candidates, checked."""

from wsss.logs import log_to
from wsss.ood.decisions import check_manual, decision_summary
from wsss.ood.rank import RANKING_COLUMNS
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
ranking = read_table(snakemake.input.ranking, RANKING_COLUMNS)
path = snakemake.input.decisions
decisions = check_manual(read_table(path, ("image_id", "decision")), ranking, where=path)
write_table(snakemake.output.summary, decision_summary(decisions, ranking, wanted=None))
write_table(snakemake.output.decisions, decisions)
