# Downloads: `snakemake --cores 1 fetch_voc2012`, and so for every entry of wsss/fetch/catalogue.yaml.
# No other rule asks for them. They have no outputs, which the engine would delete before it starts a
# job and after it fails: what stands under data/ is looked at anew each time, and never replaced. A
# benchmark would be an output, too.
from wsss.fetch.catalogue import names_in_catalogue

for fetched in names_in_catalogue():

    rule:
        name:
            f"fetch_{fetched}"
        log:
            f"logs/fetch_{fetched}.log",
        localrule: True
        params:
            name=fetched,
        script:
            "../scripts/fetch.py"
