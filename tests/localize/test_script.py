"""The stage `localize`, run as the workflow runs it."""

import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from tests.source import ROOT
from tests.train.small import CLASSES, small_classifier, write_images
from wsss.data.index import write_classes, write_index
from wsss.models.networks import build_network
from wsss.store.maps import MapReader
from wsss.train.networks import save_classifier

torch.set_num_threads(1)
RIB = {"steps": 3, "other_images": 2, "other_size": 24, "learning_rate": 1e-3}
DEFS = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))["$defs"]


@pytest.fixture
def project(tmp_path):
    write_index(tmp_path / "index.csv", write_images(tmp_path))
    write_classes(tmp_path / "classes.csv", CLASSES, {})
    save_classifier(
        tmp_path / "classifier.safetensors", small_classifier(), backbone="compact", classes=CLASSES
    )
    return tmp_path


def localized(project, method, *, shards, **changes):
    """Return the maps of all images, from as many jobs as there are shards."""
    schema = DEFS[f"localize.{method}"]["properties"]
    options = {key: value["default"] for key, value in schema.items()} | changes
    options.pop("background_threshold")
    for shard in range(shards):
        snakemake = SimpleNamespace(
            input=SimpleNamespace(
                index=project / "index.csv",
                classes=project / "classes.csv",
                classifier=project / "classifier.safetensors",
            ),
            output=SimpleNamespace(maps=project / f"{shards}/{shard}.h5"),
            params=SimpleNamespace(method=method, options=options, shards=shards, code="c"),
            wildcards=SimpleNamespace(random_seed="0", shard=str(shard)),
            config={"threads": {"infer": 1}},
            log=[str(project / "localize.log")],
        )
        script = str(ROOT / "workflow/scripts/localize.py")
        runpy.run_path(script, init_globals={"snakemake": snakemake})
    with MapReader(sorted((project / str(shards)).glob("*.h5"))) as reader:
        return {f"image{n}": reader.read(f"image{n}").maps for n in range(6)}


def test_what_is_drawn_does_not_depend_on_shards_or_batches(project):
    torch.manual_seed(0)
    network = {"kernel_size": 3, "dropout_rate": 0.5}
    fickle = build_network("ficklenet", "compact", num_classes=len(CLASSES), **network)
    save_classifier(project / "classifier.safetensors", fickle, backbone="compact", classes=CLASSES)
    one = localized(project, "ficklenet", shards=1, passes=3)
    two = localized(project, "ficklenet", shards=2, passes=3, batch_size=1)
    for image_id, maps in one.items():
        assert maps.shape[0] == 1 and maps.max() > 0
        np.testing.assert_allclose(two[image_id], maps, atol=2e-3)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("cam", {}),
        ("rib", RIB),
        ("advcam_rib", RIB | {"climb_steps": 2}),
    ],
)
def test_shards_change_nothing(project, method, changes):
    one, two = (localized(project, method, shards=n, scales=[1.0], **changes) for n in (1, 2))
    for image_id, maps in one.items():
        assert maps.shape[0] == 1 and maps.max() > 0
        np.testing.assert_allclose(two[image_id], maps, atol=2e-3)
