"""Seeds of what is drawn for one image alone, whatever batch or shard it comes in."""

import zlib

import numpy as np

from wsss.data.index import ImageRecord


def seed_of(record: ImageRecord, random_seed: int) -> int:
    """Return the seed of an image's draws, 0..2^63 - 1, by its id and the run's random seed."""
    key = zlib.crc32(record.image_id.encode())
    (drawn,) = np.random.SeedSequence([random_seed, key]).generate_state(1, np.uint64)
    # What torch's generators take is signed.
    return int(drawn >> np.uint64(1))
