"""A stage that trains on several ranks; a script, as the workflow's are, that torchrun runs anew.

Its task stands in the environment, for ranks get no arguments.
"""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

from tests.train import test_loop
from tests.train.small import (
    CLASSES,
    COMPUTING,
    GROWING,
    growing_stream_of,
    masked_stream_of,
    small_classifier,
    stream_of,
)
from tests.train.test_loop import train
from tests.train.test_objectives import objective
from tests.train.test_trainings import RECIPE, WOOD
from wsss.data.index import ImageRecord
from wsss.logs import log_to
from wsss.models.deeplab import build_segmenter
from wsss.models.irn import IRNet
from wsss.models.networks import build_network
from wsss.models.psa import AffinityNet
from wsss.store.weights import save_weights
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.distributed import rank
from wsss.train.irn import train_irn
from wsss.train.launch import end_other_ranks, launch
from wsss.train.psa import train_psa
from wsss.train.segmenter import train_segmenter
from wsss.train.wood import train_wood

TASK = "TASK"


def classifier(records, checkpoint):
    module = small_classifier()
    options = {**RECIPE, "epochs": 3, "batch_norm": "frozen"}
    stream = stream_of(records, batch_size=4, workers=1)
    return module, train_classifier(module, stream, **options, checkpoint=checkpoint)


def classifier_with_statistics(records, checkpoint):
    module = small_classifier()
    # One step: later ones would look through weights of another rounding.
    options = {**RECIPE, "epochs": 1}
    stream = stream_of(records, batch_size=6)
    return module, train_classifier(module, stream, **options, checkpoint=checkpoint)


def seam(records, checkpoint):
    torch.manual_seed(0)
    module = build_network("seam", "compact", num_classes=len(CLASSES), head_dropout=0.0)
    options = {**RECIPE, "epochs": 4, "batch_norm": "frozen", "objective": objective("seam")}
    stream = stream_of(records, batch_size=4, workers=1)
    return module, train_classifier(module, stream, **options, checkpoint=checkpoint)


def wood(records, checkpoint):
    module = small_classifier()
    features = module.head.weight.shape[1]
    means = torch.from_numpy(np.random.default_rng(0).random((2, 2, features), dtype=np.float32))
    options = {**RECIPE, **WOOD, "epochs": 2, "batch_norm": "frozen"}
    rows = train_wood(
        module, stream_of(records), stream_of(records[:4], batch_size=4),
        class_means=means[0], cluster_means=means[1], checkpoint=checkpoint, **options,
    )  # fmt: skip
    return module, rows


def irn(records, checkpoint):
    backbone = small_classifier().backbone
    torch.manual_seed(0)
    module = IRNet(backbone)
    rows = train_irn(
        module, masked_stream_of(records, batch_size=2), epochs=2, radius=3, learning_rate=0.05,
        displacement_factor=10, momentum=0.9, weight_decay=1e-4, schedule="poly",
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def psa(records, checkpoint):
    backbone = small_classifier().backbone
    torch.manual_seed(0)
    module = AffinityNet(backbone, distance="mean", group_norm=False)
    rows = train_psa(
        module, masked_stream_of(records, batch_size=2), epochs=2, radius=3, learning_rate=0.01,
        head_multiplier=10, momentum=0.9, weight_decay=1e-4, schedule="poly", frozen_stages=1,
        computing=COMPUTING, checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def segmenter(records, checkpoint, *, stream_of=masked_stream_of, growing=None):
    torch.manual_seed(0)
    module = build_segmenter(
        "deeplab_v2", "compact", num_classes=len(CLASSES) + 1, atrous_rates=[1], scales=[0.5]
    )
    rows = train_segmenter(
        module, stream_of(records, batch_size=6), iterations=4, iter_size=2,
        learning_rate=0.003, head_multiplier=5, momentum=0.9, weight_decay=5e-4, schedule="poly",
        loss="cross_entropy", seed_growing=growing, batch_norm="frozen", computing=COMPUTING,
        checkpoint=checkpoint,
    )  # fmt: skip
    return module, rows


def growing_segmenter(records, checkpoint):
    return segmenter(records, checkpoint, stream_of=growing_stream_of, growing=GROWING)


TRAININGS = (
    classifier, classifier_with_statistics, seam, wood, irn, psa, segmenter, growing_segmenter
)  # fmt: skip
KINDS = {f.__name__: f for f in TRAININGS}


def trained(kind, records, folder):
    """Train one network; return its weights and log rows."""
    checkpoint = running_checkpoint(folder / f"{kind}.safetensors", options=kind, inputs=[])
    module, rows = KINDS[kind](records, checkpoint)
    return module.state_dict(), rows


def trouble(what):
    """Make what is to happen in a step."""
    name, _, number = what.partition(" of rank ")
    if number and rank() != int(number):
        return
    if name == "error":
        raise ValueError("image 7 is broken: delete it")
    if name == "nan":
        right = test_loop.classification_loss
        test_loop.classification_loss = lambda *arguments: right(*arguments) * float("nan")
    elif name == "SIGUSR1":
        os.kill(os.getpid(), signal.SIGUSR1)
    elif name == "death":
        os.kill(os.getpid(), signal.SIGKILL)
    elif rank() == 0:
        # Long enough for the launcher to pass a signal on, or for its ranks to miss it.
        os.kill(os.getppid(), getattr(signal, name.removesuffix(" of the launcher")))
        time.sleep(3)


def main():
    task = json.loads(os.environ[TASK])
    folder = Path(task["folder"])
    log_to(folder / "stage.log")
    launch(task["ranks"])
    torch.set_num_threads(1)
    records = [
        ImageRecord(**{**fields, "path": Path(fields["path"])}) for fields in task["records"]
    ]
    if kinds := task.get("kinds"):
        found = {kind: trained(kind, records, folder) for kind in kinds}
        for kind, (state, rows) in found.items():
            save_weights(
                folder / f"{kind}.{rank()}.safetensors", state, metadata={"rows": json.dumps(rows)}
            )
        end_other_ranks()
        return
    found = train(
        records, folder, stream=stream_of(records, batch_size=task["batch_size"]),
        at_step=task.get("at_step"), before=lambda: trouble(task["what"]),
    )  # fmt: skip
    end_other_ranks()
    tensors = found.weights | found.momenta
    save_weights(folder / "net.safetensors", tensors, metadata={"rows": json.dumps(found.rows)})
    found.checkpoint.remove()


if __name__ == "__main__":
    main()
