"""Pack the predictions for the test images as the evaluation server of PASCAL VOC takes them."""

from pathlib import Path

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.store.mask_folders import find_masks
from wsss.store.voc_archive import write_voc_archive

log_to(snakemake.log[0])
index = read_index(snakemake.input.index, snakemake.input.classes)
sizes = {record.image_id: (record.height, record.width) for record in index.split("test")}
write_voc_archive(Path(snakemake.output.archive), find_masks(snakemake.input.predictions), sizes)
