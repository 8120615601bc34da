"""The functions that draw each background and each class."""

from collections.abc import Callable

from wsss.data.scenes.backgrounds import (
    aquarium,
    branches,
    contrail_sky,
    desert,
    flowers,
    interior,
    meadow,
    night,
    pattern,
    rail,
    road,
    water,
)
from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.objects import aeroplane, bird, boat, bottle, car, train

DrawBackground = Callable[[Canvas], list[Place]]
DrawObject = Callable[[Pen, Place, float], None]

BACKGROUNDS: dict[str, DrawBackground] = {
    "contrail_sky": contrail_sky.draw,
    "branches": branches.draw,
    "water": water.draw,
    "road": road.draw,
    "rail": rail.draw,
    "interior": interior.draw,
    "meadow": meadow.draw,
    "flowers": flowers.draw,
    "desert": desert.draw,
    "night": night.draw,
    "pattern": pattern.draw,
    "aquarium": aquarium.draw,
}
OBJECTS: dict[str, DrawObject] = {
    "aeroplane": aeroplane.draw,
    "bird": bird.draw,
    "boat": boat.draw,
    "bottle": bottle.draw,
    "car": car.draw,
    "train": train.draw,
}
