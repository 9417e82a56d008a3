"""Trying texts on photos while a search looks for the best, with every picture that is encoded counted."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import copy

from PIL import Image

from clipbench.attacks.rendering import Item, lay, name_of
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.stimuli import Recipe, Tag, read_image
from clipbench.streams import ahead, chunks

_CHUNK = 16  # pictures that are read at a time: a search can stop between two of them

Answer = tuple[bool, float]  # whether the target wins, its probability
Score = tuple[float, float]  # share of photos on which the target wins, its mean probability


def untaken(classifier: Classifier, images: Sequence[Item], target: str) -> Iterator[tuple[list, list]]:
    """The photos that are not taken for a target as they are, a batch at a time.

    Yields:
        Photos as the model sees them; name and reason of those that cannot be read.

    Raises:
        ClipbenchError: none can be read, or a target that is not among the labels.
    """
    place, read, reason = classifier.place(target), 0, "there are no images; give at least one"
    for some in chunks([*enumerate(images)], _CHUNK):
        crops, unread = [], []
        for number, image in some:
            try:
                crops.append(classifier.model.crop(read_image(image).image))
            except ClipbenchError as error:
                reason = str(error)
                unread.append((name_of(image, number), reason))
        tops = (
            classifier.probabilities(classifier.model.pixels(crops)).argmax(dim=1).tolist() if crops else []
        )
        yield [crop for crop, top in zip(crops, tops, strict=True) if top != place], unread
        read += len(crops)
    if not read:
        raise ClipbenchError(reason)


class Trials:
    """Texts on photos; what was tried once is not tried again.

    Args:
        classifier: who answers.
        photos: as `untaken` gives them.
        target: the label that is to win.
        recipe: how texts are laid on.

    Attributes:
        passes: pictures encoded so far.

    Raises:
        ClipbenchError: no photos.
    """

    def __init__(
        self, classifier: Classifier, photos: Sequence[Image.Image], target: str, recipe: Recipe | Tag
    ):
        self.classifier, self.photos, self.recipe, self.target = classifier, photos, recipe, target
        self._place = classifier.place(target)
        self.passes = 0
        self._known: defaultdict[str, dict[int, Answer]] = defaultdict(dict)
        if not photos:
            raise ClipbenchError(f"every photo is taken for {target!r} as it is; give photos of other things")

    def anew(self) -> "Trials":
        """The same photos, and nothing tried on them."""
        fresh = copy(self)
        fresh.passes, fresh._known = 0, defaultdict(dict)
        return fresh

    def can_write(self, text: str) -> bool:
        """Whether a text can be laid on a photo."""
        try:
            lay(self.photos[0], text, self.recipe)
        except ClipbenchError:
            return False
        return True

    def tried(self, texts: Sequence[str], photos: Sequence[int]) -> Iterator[list[str]]:
        """Try each text on some photos, by their places; yields after each batch what leads so far."""
        wanted = [
            (text, photo) for text in texts for photo in photos if photo not in self._known.get(text, ())
        ]
        with closing(ahead(self._written, chunks(wanted, _CHUNK))) as written:
            for some, pictures in zip(chunks(wanted, _CHUNK), written, strict=True):
                for (text, photo), answer in zip(some, self._answers(pictures), strict=True):
                    self._known[text][photo] = answer
                yield self._leading()

    def ranked(self, texts: Sequence[str], photos: Sequence[int]) -> list[str]:
        """The texts, the best on some photos first; they must have been tried."""
        return sorted(texts, key=lambda text: self.score(text, photos), reverse=True)

    def score(self, text: str, photos: Sequence[int]) -> Score:
        """How a text fares on some photos; they must have been tried."""
        won, shares = zip(*(self._known[text][photo] for photo in photos), strict=True)
        return sum(won) / len(won), sum(shares) / len(shares)

    def so_far(self, text: str) -> Rate:
        """On how many of the photos that a text has been tried on the target wins."""
        answers = self._known[text].values()
        return Rate(sum(won for won, _ in answers), len(answers))

    def rate(self, text: str, photos: Sequence[int]) -> Rate:
        """On how many of some photos the target wins; they must have been tried."""
        return Rate(sum(self.won(text, photos)), len(photos))

    def won(self, text: str, photos: Sequence[int]) -> list[bool]:
        """Whether the target wins on each of some photos; they must have been tried."""
        return [self._known[text][photo][0] for photo in photos]

    def _leading(self) -> list[str]:
        """The texts tried so far, those that win on most photos first."""
        sums = {
            text: (sum(won for won, _ in answers.values()), sum(share for _, share in answers.values()))
            for text, answers in self._known.items()
        }
        return sorted(sums, key=sums.get, reverse=True)

    def _written(self, pairs: Sequence[tuple[str, int]]) -> list[Image.Image]:
        return [lay(self.photos[photo], text, self.recipe)[0] for text, photo in pairs]

    def _answers(self, pictures: Sequence[Image.Image]) -> list[Answer]:
        """For each picture whether the target wins, and its probability."""
        shares = self.classifier.probabilities(self.classifier.model.pixels(pictures))
        self.passes += len(pictures)
        won = (shares.argmax(dim=1) == self._place).tolist()
        return list(zip(won, shares[:, self._place].tolist(), strict=True))
