"""A small classifier of toy images, its training, gradients and fine-tuning by RIB."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from wsss.diagnose._toy_digits import DIGITS, ToyImages
from wsss.losses.rib import pool_scores, rib_loss

WIDTHS = (16, 16, 32, 32, 32)
# Of the third layer, so that the last one sees a whole digit.
STRIDES = (1, 1, 2, 1, 1)
LEARNING_RATE = 0.002
BATCH = 50


class ToyClassifier(nn.Module):
    """Five convolutions with ReLU, the mean over positions, and a linear layer.

    The dissertation says no more of its toy network than that it has five convolutional layers and
    a fully connected one (3.4.2); a linear layer without bias after the mean has class activation
    maps, which RIB's pooling needs.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = (1, *WIDTHS)
        layers = [
            nn.Conv2d(before, after, 3, stride, padding=1)
            for before, after, stride in zip(channels, WIDTHS, STRIDES, strict=False)
        ]
        for layer in layers:
            # PyTorch's own draw lets the signal fade over five layers, and some trainings stick.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.layers = nn.ModuleList(layers)
        self.head = nn.Conv2d(WIDTHS[-1], len(DIGITS), 1, bias=False)

    def features(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return T_1 to T_5, the features after each layer."""
        found = []
        for layer in self.layers:
            pixels = layer(pixels).relu()
            found.append(pixels)
        return found

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return raw score maps (B, 2, h, w); their mean over positions is the logit."""
        maps: torch.Tensor = self.head(self.features(pixels)[-1])
        return maps


def train_toy(images: ToyImages, *, epochs: int, random_seed: int) -> ToyClassifier:
    """Return a classifier trained with the multi-label loss (Adam), in training's own order."""
    generator = torch.Generator().manual_seed(random_seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_seed)
        network = ToyClassifier()
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    for _ in range(epochs):
        for batch in torch.randperm(len(images.pixels), generator=generator).split(BATCH):
            logits = network(images.pixels[batch]).mean((2, 3))
            loss = F.binary_cross_entropy_with_logits(logits, images.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def layer_gradients(
    network: ToyClassifier, pixels: torch.Tensor, labels: torch.Tensor
) -> list[torch.Tensor]:
    """Return the gradient maps G_1 to G_6 (dissertation 3.4.2).

    G_l is the gradient of the sum of T_l over positions and channels by the image, and G_6 that of
    the logit of the image's class.

    Args:
        network: Any state of it.
        pixels: (B, 1, S, S).
        labels: One-hot (B, 2).

    Returns:
        Of each layer (B, S, S), signed.
    """
    pixels = pixels.clone().requires_grad_()
    found = network.features(pixels)
    logits = network.head(found[-1]).mean((2, 3))
    sums = [*(features.sum() for features in found), (logits * labels).sum()]
    return [torch.autograd.grad(total, pixels, retain_graph=True)[0][:, 0] for total in sums]


def rib_states(
    network: ToyClassifier,
    pixels: torch.Tensor,
    label: torch.Tensor,
    others: ToyImages,
    *,
    iterations: int,
    learning_rate: float,
    other_images: int,
    pooling: str,
    score_threshold: float,
    margin: float,
    random_seed: int,
) -> Iterator[int]:
    """Fine-tune in place by L_RIB of one image and of others, drawn anew for each step.

    Yields 0, 1, ..., `iterations`, when so many steps are done (dissertation 3.4.3).

    Args:
        network: What training left.
        pixels: The image (1, 1, S, S).
        label: One-hot (1, 2).
        others: Where the others come from.
        iterations: K.
        learning_rate: lambda, of plain gradient descent.
        other_images: B - 1.
        pooling: "gap", "gndrp" or "gndp", see `losses.rib.pool_scores`.
        score_threshold: tau of the pooling.
        margin: m.
        random_seed: Of the draw of the others.
    """
    generator = torch.Generator().manual_seed(random_seed)
    parameters = list(network.parameters())
    for step in range(iterations + 1):
        yield step
        if step == iterations:
            return
        drawn = torch.randperm(len(others.pixels), generator=generator)[:other_images]
        labels = torch.cat([label, others.labels[drawn]])
        maps = network(torch.cat([pixels, others.pixels[drawn]]))
        logits = pool_scores(maps, labels, pooling=pooling, score_threshold=score_threshold)
        loss = rib_loss(logits, labels, margin=margin, margin_form="paper")
        moves = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, move in zip(parameters, moves, strict=True):
                parameter.sub_(move, alpha=learning_rate)
