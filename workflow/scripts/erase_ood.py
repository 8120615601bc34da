"""Paint over what the classifier takes for an object in ranked candidates."""

from pathlib import Path

import numpy as np

from wsss.data.images import read_image, write_jpeg
from wsss.data.index import Index
from wsss.data.selected import selected_records, set_size, with_paths
from wsss.localize.cam import localize
from wsss.logs import log_to
from wsss.ood.decisions import DECISION_COLUMNS
from wsss.ood.erase import erase_regions
from wsss.ood.rank import RANKING_COLUMNS
from wsss.ood.select import select_hard
from wsss.store.tables import read_table, write_table
from wsss.train.device import prepare_device
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
options = snakemake.params.options
selected = with_paths(
    Path(snakemake.input.candidates),
    select_hard(
        read_table(snakemake.input.ranking, RANKING_COLUMNS),
        read_table(snakemake.input.decisions, DECISION_COLUMNS),
        size=set_size(options["size"], snakemake.input.get("equal_set")),
    ),
)
classifier, _, classes = load_classifier(snakemake.input.classifier)
known = Index(classes, ())
folder = Path(snakemake.output.images)
folder.mkdir(parents=True, exist_ok=True)
paths = []
for record, class_name in zip(selected_records(selected), selected["class_name"], strict=True):
    image = read_image(record.path)
    class_id = np.array([known.class_id(class_name)])
    (maps,) = localize(
        classifier.to(device), image[None], [class_id], map_stride=1, **options["maps"]
    )
    paths.append(folder / f"{record.image_id}.jpg")
    erased = erase_regions(image, maps[0], threshold=options["threshold"], fill=options["fill"])
    write_jpeg(paths[-1], erased, quality=95)
write_table(snakemake.output.selected, selected.assign(path=[str(path) for path in paths]))
