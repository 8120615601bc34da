"""Take over a person's decisions on ranked candidates, checked; stop while some are missing."""

from pathlib import Path

import pandas as pd

from wsss.logs import log_to
from wsss.ood.decisions import check_manual, decision_summary
from wsss.ood.rank import RANKING_COLUMNS
from wsss.ood.undecided import check_decided
from wsss.ood.votes import agreement_table, annotator_table, votes_on
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
inputs, out = snakemake.input, snakemake.output
ranking = read_table(inputs.ranking, RANKING_COLUMNS)
path, columns = inputs.get("decisions"), ("image_id", "decision")
# Nobody has decided anything before the file is there.
table = read_table(path, columns) if path else pd.DataFrame(columns=columns)
decisions = check_manual(table, ranking, where=path)
votes = votes_on(table, ranking["image_id"].astype(str), where=path)
folder, ood_set = Path(inputs.ranking).parent, snakemake.wildcards.ood_set
check_decided(decisions, ranking, **snakemake.params.options, ood_set=ood_set, folder=folder)
write_table(out.annotators, annotator_table(votes))
write_table(out.agreement, agreement_table(votes))
write_table(out.summary, decision_summary(decisions, ranking, wanted=None))
write_table(out.decisions, decisions)
