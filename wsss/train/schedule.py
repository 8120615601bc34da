"""Learning rates as functions of the step, starting from step 0 (pure Python)."""

import math

POLY_POWER = 0.9
DEEPLAB_UPDATE_EVERY = 10
HALVING_EPOCHS = 10
WARM_UP_SHARE = 0.3
START_DIVISOR = 25.0
END_DIVISOR = 1e4


def learning_rate_at(
    step: int, *, schedule: str, base: float, steps: int, steps_per_epoch: int
) -> float:
    """Return the learning rate of one step.

    Args:
        step: 0 for the first step.
        schedule: "poly" (power 0.9, every official class-map code), "poly_every_10" (the same, set
            at every tenth step only, as in kazuto1011/deeplab-pytorch), "halved_every_10_epochs"
            (FickleNet), "one_cycle" or "constant".
        base: highest learning rate.
        steps: length of the training.
        steps_per_epoch: of a pass over the training images.

    Raises:
        KeyError: the schedule is unknown.
        ValueError: step or steps are out of range.
    """
    if schedule == "poly":
        return poly(step, base=base, steps=steps, power=POLY_POWER)
    if schedule == "poly_every_10":
        return poly_in_stairs(
            step, base=base, steps=steps, power=POLY_POWER, update_every=DEEPLAB_UPDATE_EVERY
        )
    if schedule == "halved_every_10_epochs":
        return halved(step, base=base, steps_per_halving=HALVING_EPOCHS * steps_per_epoch)
    if schedule == "one_cycle":
        return one_cycle(step, base=base, steps=steps)
    if schedule == "constant":
        return base
    raise KeyError(
        f"unknown schedule {schedule!r}; known: constant, halved_every_10_epochs, one_cycle, poly, "
        "poly_every_10"
    )


def poly(step: int, *, base: float, steps: int, power: float) -> float:
    """Return base * (1 - step / steps) ** power; beyond the end it stays at 0.

    Unlike the optimiser of the official class-map code, which stays at its last value there; no
    training here goes beyond the end.

    Raises:
        ValueError: step is negative or there are no steps.
    """
    _check(step, steps)
    return base * (1 - min(step, steps) / steps) ** power


def poly_in_stairs(step: int, *, base: float, steps: int, power: float, update_every: int) -> float:
    """Return the poly rate of the last step that is a multiple of update_every.

    kazuto1011/deeplab-pytorch sets the rate after its iterations 10, 20, ..., so that its first
    ten iterations run at the base rate, as here.

    Raises:
        ValueError: step is negative, or there are no steps or no update.
    """
    if update_every < 1:
        raise ValueError(f"update_every is {update_every}; it must be at least 1")
    return poly(step - step % update_every, base=base, steps=steps, power=power)


def halved(step: int, *, base: float, steps_per_halving: int) -> float:
    """Return base, halved as often as so many steps are behind.

    Raises:
        ValueError: step is negative or there are no steps between.
    """
    _check(step, steps_per_halving)
    return base * 0.5 ** (step // steps_per_halving)


def one_cycle(step: int, *, base: float, steps: int) -> float:
    """Return the rate of one cosine rise to base and one cosine fall towards zero.

    The rise takes 0.3 of the steps and starts at base / 25; the last step's rate is 1e-4 of the
    first one's. This is the shape of Smith and Topin (2019) with the values usual today.

    Raises:
        ValueError: step is negative or there are no steps.
    """
    _check(step, steps)
    start = base / START_DIVISOR
    peak = WARM_UP_SHARE * steps - 1
    last = steps - 1
    if step <= peak:
        return _cosine(start, base, step / peak if peak > 0 else 1.0)
    # A training of a few steps has no rise: it begins at the peak.
    peak = max(peak, 0.0)
    share = (min(step, last) - peak) / (last - peak) if last > peak else 0.0
    return _cosine(base, start / END_DIVISOR, share)


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def _check(step: int, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"a training of {steps} steps has no schedule; give at least one step")
    if step < 0:
        raise ValueError(f"step {step} is negative; the first step is 0")
