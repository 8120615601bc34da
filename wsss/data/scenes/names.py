"""The classes that can be drawn and the backgrounds that go with them."""

CLASSES = ("aeroplane", "bird", "boat", "bottle", "car", "train")

# Bottle has none: it shows what a class without a spurious background does.
BACKGROUND_OF_CLASS = {
    "aeroplane": "contrail_sky",
    "bird": "branches",
    "boat": "water",
    "car": "road",
    "train": "rail",
}

# Where an object stands as it should, though the two do not go together often.
FITTING = frozenset({*BACKGROUND_OF_CLASS.items(), ("bottle", "interior")})

NEUTRAL_BACKGROUNDS = ("interior", "meadow", "flowers", "desert", "night", "pattern")
POOL_BACKGROUNDS = (*NEUTRAL_BACKGROUNDS, "aquarium")
