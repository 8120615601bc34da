"""Fetch a data set or a network's weights, as wsss/fetch/catalogue.yaml says."""

import logging

from wsss.fetch.entries import fetch
from wsss.logs import log_to

log_to(snakemake.log[0])
# A person waits for hours: the lines of the log come to the terminal, too. Errors do by themselves.
terminal = logging.StreamHandler()
terminal.addFilter(lambda record: record.levelno < logging.ERROR)
logging.getLogger().addHandler(terminal)
fetch(snakemake.params.name)
