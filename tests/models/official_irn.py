"""What holds of a boundary network with the official weights."""

import torch
import torch.nn.functional as F

from tests import golden
from wsss.models.irn import boundary_maps


def assert_evaluates_as_official(case, irnet):
    """Compare boundaries (of image and mirror image) and displacements (of the image alone)."""
    image, crop_size = case["in_image"][None], case.json["hyper"]["crop_size"]
    golden.assert_close(case, "out_edge", boundary_maps(irnet, image, crop_size=crop_size)[0][None])
    height, width = image.shape[1:3]
    x = irnet.normalize(torch.from_numpy(image).permute(0, 3, 1, 2))
    x = F.pad(x, (0, crop_size - width, 0, crop_size - height))
    with torch.inference_mode():
        displacement = irnet(x)[1]
    rows, columns = (-(-side // irnet.stride) for side in (height, width))
    golden.assert_close(case, "out_displacement", displacement[0, :, :rows, :columns].numpy())
