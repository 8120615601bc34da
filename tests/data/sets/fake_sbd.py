"""A small release of SBD, drawn."""

import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_matrix

from wsss.data.images import write_jpeg


def write_sbd_mask(path, mask, compressed=True):
    """Write a mask in the structure of SBD's cls/*.mat."""
    boundaries = np.empty((20, 1), dtype=object)
    for number in range(20):
        inside = mask == number + 1
        boundaries[number, 0] = csc_matrix(inside & ~np.roll(inside, 1, axis=0))
    present = np.setdiff1d(np.unique(mask), [0])[:, None].astype(np.uint8)
    content = {"Boundaries": boundaries, "Segmentation": mask, "CategoriesPresent": present}
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"GTcls": content}, do_compression=compressed)


def write_sbd(folder, train, val, sizes, drawn=()):
    """Write a release whose images have these sizes by id; `drawn` says which are in img/."""
    for name, image_ids in (("train.txt", train), ("val.txt", val)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{image_id}\n" for image_id in image_ids))
        for image_id in image_ids:
            mask = np.zeros(sizes[image_id], np.uint8)
            mask[1:4, 2:] = 2
            write_sbd_mask(folder / f"cls/{image_id}.mat", mask)
    for image_id in drawn:
        image = np.zeros((*sizes[image_id], 3), np.uint8)
        write_jpeg(folder / f"img/{image_id}.jpg", image, quality=90)
