"""What was seen of one image, in the shape in which a run collects it."""

from typing import NamedTuple


class Seen(NamedTuple):
    """The most likely label of a picture, its probability, and the probability of each case's target."""

    top: int
    share: float
    targets: tuple[float, ...]


class Row(NamedTuple):
    """What was seen of one image: without text, with the text of each case, and how much each covered."""

    name: str
    truth: int
    clean: Seen
    attacked: tuple[Seen, ...]
    covers: tuple[float, ...]
