"""The light of a scene: colours of the sky, tint of the picture, where the sun stands."""

from dataclasses import dataclass

import numpy as np

from wsss.data.scenes.colours import mix, vary


@dataclass(frozen=True)
class Light:
    """Light of one image; colours are float32 RGB triples, 0..1.

    zenith, horizon: the sky's colours at the upper edge and at the horizon.
    cloud: the lit side of a cloud.
    tint: what the whole picture is multiplied by.
    sun_side: -1 if the sun stands at the left, else 1.
    shadow: how dark a shadow is, 0..1.
    glow: how much the sky brightens around the sun, 0..1.
    """

    zenith: np.ndarray
    horizon: np.ndarray
    cloud: np.ndarray
    tint: np.ndarray
    sun_side: int
    shadow: float
    glow: float


# kind: (probability, zenith, horizon, cloud, tint, shadow, glow)
_KINDS = (
    (
        0.48,
        (0.22, 0.46, 0.80),
        (0.74, 0.86, 0.95),
        (0.98, 0.98, 0.98),
        (1.03, 1.01, 0.97),
        0.45,
        0.1,
    ),
    (
        0.20,
        (0.58, 0.63, 0.68),
        (0.82, 0.84, 0.85),
        (0.93, 0.93, 0.94),
        (0.97, 0.98, 1.00),
        0.25,
        0.0,
    ),
    (
        0.18,
        (0.38, 0.50, 0.74),
        (0.99, 0.80, 0.56),
        (1.00, 0.88, 0.74),
        (1.08, 0.98, 0.86),
        0.40,
        0.5,
    ),
    (
        0.14,
        (0.28, 0.26, 0.52),
        (0.95, 0.60, 0.50),
        (0.92, 0.62, 0.60),
        (0.97, 0.90, 0.98),
        0.30,
        0.4,
    ),
)


def draw_light(rng: np.random.Generator) -> Light:
    """Return the light of one image: clear day, overcast, golden hour or dusk."""
    kind = rng.choice(len(_KINDS), p=[kind[0] for kind in _KINDS])
    _, zenith, low, cloud, tint, shadow, glow = _KINDS[kind]
    horizon = vary(rng, low, 0.03)
    return Light(
        zenith=mix(vary(rng, zenith, 0.05), horizon, rng.uniform(0, 0.25)),
        horizon=horizon,
        cloud=vary(rng, cloud, 0.02),
        tint=np.asarray(tint, np.float32) * rng.normal(1, 0.02, 3).astype(np.float32),
        sun_side=int(rng.choice([-1, 1])),
        shadow=shadow * rng.uniform(0.8, 1.2),
        glow=glow,
    )
