"""The photos that are shipped: everyday things, tools, animals, monuments, and nine of the article's."""

from dataclasses import dataclass
from pathlib import Path

from clipbench.errors import unknown
from clipbench.stimuli.shipped import Shipped


@dataclass(frozen=True, kw_only=True)
class Sample(Shipped):
    """A shipped photo, square, at most 384 pixels wide; `scripts/make_samples.py` makes them all.

    Args:
        name: short and unique, such as "apple with iPod label".
        kind: "article", "thing", "tool", "person", "animal" or "monument".
        truth: what is on it, a noun to put among the labels; of the article's, the object, not the label.
        author, licence, source, file: see `Shipped`.
    """

    folder = Path(__file__).parent / "photos"
    listed_in = "photos.json"

    kind: str
    truth: str

    @property
    def labelled(self) -> bool:
        """Whether a paper label with a word lies on it, as on most of the article's."""
        return self.name.endswith(" label")


def samples() -> list[Sample]:
    """All shipped photos, the article's first."""
    return Sample.all()


def sample(name: str) -> Sample:
    """The shipped photo of this name.

    Raises:
        ClipbenchError: there is none of this name; the nearest names are given.
    """
    by_name = {one.name: one for one in samples()}
    if name not in by_name:
        raise unknown("sample photo", name, by_name)
    return by_name[name]
