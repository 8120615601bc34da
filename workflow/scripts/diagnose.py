"""Measure what happens inside a chain."""

from importlib import import_module

from wsss.data.examined import ImageFiles, MaskFiles, own_backgrounds
from wsss.data.index import read_classes, read_ground_truth, read_index
from wsss.data.selected import COLUMNS, selected_labels, selected_records
from wsss.logs import log_to
from wsss.store.rows import write_records
from wsss.store.tables import read_table
from wsss.train.device import prepare_device
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
index = read_index(inputs.index, inputs.classes)
train = index.split("train")
names = ("dataset", "classifier", "localizer", "random_seed")
chain = {name: wildcards.get(name) for name in names if wildcards.get(name) is not None}
# By the names of the arguments of `measure`; the localizer's options also by that of its method.
things = {
    "random_seed": lambda: int(wildcards.random_seed),
    "model": lambda: load_classifier(inputs.classifier)[0].to(device),
    "images": lambda: ImageFiles(train),
    "labels": lambda: {record.image_id: index.class_ids(record) for record in train},
    "classes": lambda: index.classes,
    "masks": lambda: MaskFiles(
        train, read_ground_truth(inputs.ground_truth), num_classes=len(index.classes) + 1
    ),
    "backgrounds": lambda: own_backgrounds(
        train,
        read_ground_truth(inputs.ground_truth),
        classes=index.classes,
        spurious=read_classes(inputs.classes)[1],
    ),
    "ood_images": lambda: ImageFiles(selected_records(read_table(inputs.ood, COLUMNS))),
    "ood_labels": lambda: selected_labels(read_table(inputs.ood, COLUMNS), index.classes),
    "localizer": lambda: params.localizer,
    params.localizer.get("method"): lambda: params.localizer,
}
measure = import_module(f"wsss.diagnose.{params.kind}").measure
rows = measure(*(things[name]() for name in params.given), **params.options)
write_records(snakemake.output.table, [{**chain, **row} for row in rows])
