"""The chain of the project as an inline SVG with pictures."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Step:
    """A box of the sketch: key of its picture, two title lines, description lines, place."""

    key: str
    title: str
    lines: tuple[str, ...]
    column: float
    row: int


STEPS = (
    Step("dataset", "Images + labels", ("“there is a train”,", "never where it is"), 0, 0),
    Step("classifier", "Classifier", ("learns the labels;", "and rails by mistake"), 1, 0),
    Step("ood", "OoD images", ("no object in them,", "yet p(c) ≥ 0.5"), 2, 1),
    Step("wood", "W-OoD", ("trained on: rails", "alone are no train"), 3, 0),
    Step("maps", "Maps", ("CAM, AdvCAM: where", "is the evidence?"), 4, 0),
    Step("refine", "Refiner (IRN)", ("maps grow to edges:", "pseudo-masks"), 5, 0),
    Step("segmenter", "DeepLab", ("learns these masks,", "segments new images"), 6, 0),
)
ARROWS = (
    ("dataset", "classifier"), ("classifier", "wood"), ("classifier", "ood"), ("ood", "wood"),
    ("wood", "maps"), ("maps", "refine"), ("refine", "segmenter"),
)  # fmt: skip
WIDTH, HEIGHT, GAP, SIDE = 146, 176, 20, 96


def chain_svg(pictures: Mapping[str, Path]) -> Markup:
    """Return the chain as SVG text; a step without a picture shows its number.

    Args:
        pictures: Small PNG file for any of dataset, classifier, ood, wood, maps, refine, segmenter.

    Raises:
        ValueError: A picture belongs to no step.
    """
    known = [step.key for step in STEPS]
    for key in pictures:
        if key not in known:
            raise ValueError(
                f"picture {key!r} belongs to no step of the sketch: {', '.join(known)}"
            )
    width = 7 * (WIDTH + GAP)
    parts = [
        f'<svg class="chain" viewBox="0 0 {width} {2 * HEIGHT + 2 * GAP}" role="img" '
        'xmlns="http://www.w3.org/2000/svg" aria-labelledby="chain-title">'
        '<title id="chain-title">The chain: images with labels train a classifier; it finds hard '
        "out-of-distribution images, with which W-OoD is trained; its maps are refined "
        "by IRN to pseudo-masks, which train DeepLab.</title>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>'
    ]
    parts += [_arrow(*ends) for ends in ARROWS]
    parts += [_box(step, number, pictures.get(step.key)) for number, step in enumerate(STEPS, 1)]
    return Markup("".join(parts) + "</svg>")


def _corner(step: Step) -> tuple[float, float]:
    return GAP / 2 + step.column * (WIDTH + GAP), 4 + step.row * (HEIGHT + GAP)


def _arrow(start: str, end: str) -> str:
    by_key = {step.key: step for step in STEPS}
    (x0, y0), (x1, y1) = _corner(by_key[start]), _corner(by_key[end])
    middle = HEIGHT / 2
    if by_key[start].row == by_key[end].row:
        path = f"M{x0 + WIDTH} {y0 + middle}H{x1 - 2}"
    elif by_key[end].row:
        path = f"M{x0 + WIDTH / 2} {y0 + HEIGHT}V{y1 + middle}H{x1 - 2}"
    else:
        path = f"M{x0 + WIDTH} {y0 + middle}H{x1 + WIDTH / 2}V{y1 + HEIGHT + 2}"
    return f'<path d="{path}" class="arrow" marker-end="url(#tip)"/>'


def _box(step: Step, number: int, picture: Path | None) -> str:
    x, y = _corner(step)
    centre = x + WIDTH / 2
    parts = [f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8" class="box"/>']
    if picture is None:
        parts.append(
            f'<circle cx="{centre}" cy="{y + 8 + SIDE / 2}" r="30" class="blank"/>'
            f'<text x="{centre}" y="{y + 17 + SIDE / 2}" class="number">{number}</text>'
        )
    else:
        data = base64.b64encode(Path(picture).read_bytes()).decode()
        parts.append(
            f'<image x="{centre - SIDE / 2}" y="{y + 8}" width="{SIDE}" height="{SIDE}" '
            f'href="data:image/png;base64,{data}"/>'
        )
    parts.append(f'<text x="{centre}" y="{y + 122}" class="step">{escape(step.title)}</text>')
    for place, line in enumerate(step.lines):
        parts.append(
            f'<text x="{centre}" y="{y + 141 + 15 * place}" class="small">{escape(line)}</text>'
        )
    return "".join(parts)
