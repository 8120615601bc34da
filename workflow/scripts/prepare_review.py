"""Note where all is that the page for a person's decisions needs."""

from wsss.logs import log_to
from wsss.store.review_card import ReviewCard, write_review_card

log_to(snakemake.log[0])
inputs = snakemake.input
card = ReviewCard(
    dataset=snakemake.wildcards.dataset,
    ood_set=snakemake.wildcards.ood_set,
    **snakemake.params.options,
    ranking=str(inputs.ranking),
    candidates=str(inputs.candidates),
    classes=str(inputs.classes),
    classifier=str(inputs.classifier),
)
write_review_card(snakemake.output.card, card)
