"""A unit of feelings in three rows, as the article has them: faces, bodies, and text."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli.emoji import bodies, faces
from clipbench.streams import Progress
from clipbench.studies.emotions import wheel_words
from clipbench.studies.picture_rows import Row, read_row
from clipbench.studies.standing import standing
from clipbench.studies.written_names import names, page
from clipbench.units import check_channel

_WRITTEN, _SIDE = 0.8, 144  # of a word as it is shown to people: share of the side, pixels


@dataclass(frozen=True, eq=False)
class FeelingRows:
    """What the units of a layer say to faces, to bodies and to the written words of the feeling wheel.

    Args:
        layer: the layer that was read.
        faces, bodies, words: the rows; see `Row`.
        shows: of each face the words that it shows, perhaps none.
        provenance: model and recipe; n counts pictures.
    """

    layer: str
    faces: Row
    bodies: Row
    words: Row
    shows: tuple[tuple[str, ...], ...]
    provenance: Provenance

    @property
    def rows(self) -> tuple[Row, Row, Row]:
        """Faces, bodies and words."""
        return self.faces, self.bodies, self.words

    @cached_property
    def _shown(self) -> list[int]:
        """Places of the words that some face shows."""
        told = {word for own in self.shows for word in own}
        return [place for place, word in enumerate(self.words.names) if word in told]

    def median_place(self, unit: int) -> tuple[str, int, float]:
        """Of the words that some face shows the one that a unit answers to most, and where its faces stand.

        Returns:
            The word, how many faces show it, and their median place among all faces; the first has 1.

        Raises:
            ClipbenchError: there is no such unit.
        """
        check_channel(unit, self.words.answers.shape[1], self.layer)
        word = self.words.names[max(self._shown, key=lambda place: self.words.answers[place, unit])]
        own = [word in told for told in self.shows]
        places = standing(self.faces.answers[:, [unit]])[own, 0] * len(own)
        return word, sum(own), float(np.median(places))

    def standing(self, unit: int) -> str:
        """The same in a sentence.

        Raises:
            ClipbenchError: there is no such unit.
        """
        word, own, median = self.median_place(unit)
        if np.ptp(self.words.answers[:, unit]) == 0:
            return f"Unit {unit} answers the same to every word."
        return (
            f"Of the {len(self._shown)} words that a face here shows, unit {unit} answers most to {word!r}; "
            f"of its {own} faces the median stands at place {median:g} of {len(self.shows)}, by chance in "
            "the middle."
        )


def feeling_rows(model: ImageModel, layer: str | None = None) -> Iterator[Progress[FeelingRows]]:
    """Show a layer the words of the feeling wheel, then Noto's faces and bodies, a batch at a time.

    Args:
        model: any model.
        layer: None takes the last one that has a map.

    Yields:
        After each batch how far it has come, in pictures; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no such layer.

    Source: Goh et al. 2021, section "Emotion Neurons", has rows of facial features, body language and text;
    its rows are painted by facets, see `clipbench.optvis.facet_row`.
    """
    layer, wheel = layer or model.last_layer, wheel_words()
    drawn = {"faces": faces(), "bodies": bodies()}
    more = sum(map(len, drawn.values()))
    for step in names(model, wheel, layer):
        yield Progress(step.done, step.total + more)
    found, done, rows = step.result, step.total, {}
    for kind, shown in drawn.items():
        images = tuple(one.image for one in shown)
        answers = yield from read_row(model, images, layer, done, step.total + more)
        done += len(shown)
        rows[kind] = Row(kind, tuple(one.name for one in shown), images, answers)
    pages = tuple(page(word, _WRITTEN, _SIDE) for word in wheel)
    rows["words"] = Row("words", wheel, pages, found.answers)
    told = replace(found.provenance, recipe=f"{found.provenance.recipe}, Noto's faces and bodies", n=done)
    shows = tuple(tuple(face.shows) for face in drawn["faces"])
    yield Progress(done, done, FeelingRows(layer, **rows, shows=shows, provenance=told))
