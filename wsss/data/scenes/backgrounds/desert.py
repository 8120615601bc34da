"""Sand dunes; no spurious cue."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import mix, pick
from wsss.data.scenes.scenery import ridge, sky
from wsss.data.scenes.textures import cloud_noise


def draw(canvas: Canvas) -> list[Place]:
    """Draw dunes one behind the other, with wind ripples, a lit and a shaded slope."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    horizon = height * rng.uniform(0.25, 0.45)
    sky(canvas, horizon + 2, clouds=0.3)
    sand = pick(rng, [(0.86, 0.66, 0.42), (0.80, 0.52, 0.34), (0.88, 0.80, 0.64)])
    levels = np.linspace(horizon, height * 0.85, int(rng.integers(3, 6)))
    canvas.image[int(horizon) :] = mix(sand, canvas.light.horizon, 0.45)
    for share, level in zip(np.linspace(0.5, 0, len(levels)), levels, strict=True):
        crest = canvas.unit * 0.07 * (1.2 + cloud_noise(rng, (1, width), cells=1.6, octaves=2)[0])
        slope = np.clip(np.gradient(crest) * canvas.light.sun_side * -1.2, -0.25, 0.2)
        colour = mix(sand * rng.uniform(0.8, 1.1), canvas.light.horizon, share)
        lit = (1 + slope[:, None]).astype(np.float32) * colour
        ridge(canvas, height - 1, np.clip(height - 1 - level + crest, 0, None), lit)
    ripples = cloud_noise(rng, (height - int(horizon), width), cells=12, octaves=3, stretch=5)
    canvas.image[int(horizon) :] *= 1 + 0.035 * ripples[..., None]
    return []
