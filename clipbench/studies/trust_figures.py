"""Figures about how far a painted picture can be trusted, each with a line that says what it means."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean, stdev

from clipbench.results import Provenance
from clipbench.studies.photo_quantiles import AmongPhotos


@dataclass(frozen=True)
class Survival:
    """What is left of the value under changes that the picture was not painted for.

    Args:
        value: of the picture as it is.
        grey: of plain grey.
        changed: change -> value, the mean over draws where it is random.
    """

    value: float
    grey: float
    changed: Mapping[str, float]

    @property
    def kept(self) -> dict[str, float]:
        """Change -> share of the rise over grey that is left; empty if the picture does not rise over it."""
        rise = self.value - self.grey
        return {name: (value - self.grey) / rise for name, value in self.changed.items()} if rise > 0 else {}


@dataclass(frozen=True)
class Recognition:
    """What a second network says.

    Args:
        label: what it should see in the picture.
        asked: whether the label is what the picture was painted for; if not, it is the model's own answer.
        place: of the label among all classes, 1 is the first.
        classes: how many there are.
        share: probability of the label, in [0, 1].
        network: name and hash of the network.
    """

    label: str
    asked: bool
    place: int
    classes: int
    share: float
    network: str


@dataclass(frozen=True)
class Seeds:
    """The same recipe with other seeds.

    Args:
        values: one a seed, each of the picture as it is.
        likeness: mean cosine of the model's embeddings of every two pictures, in [-1, 1].
    """

    values: tuple[float, ...]
    likeness: float


@dataclass(frozen=True)
class Trust:
    """Figures about one picture. What could not be measured is None, and has no line.

    Args:
        subject: what was painted.
        survival: under changes.
        photos: among photos.
        second: to a second network.
        facet: share of the facet's term in the value, in [0, 1].
        seeds: with other seeds.
        provenance: model and seed; the recipe says how it was measured.
    """

    subject: str
    survival: Survival
    provenance: Provenance
    photos: AmongPhotos | None = None
    second: Recognition | None = None
    facet: float | None = None
    seeds: Seeds | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """One sentence for each figure that there is."""
        told = [(self.photos, self._of_photos), (self.survival, self._of_survival)]
        told += [(self.seeds, self._of_seeds), (self.second, self._of_second), (self.facet, self._of_facet)]
        return tuple(line() for figure, line in told if figure is not None)

    def as_dict(self) -> dict:
        """The same as plain JSON types, lines included."""
        return {**asdict(self), "kept": self.survival.kept, "lines": self.lines}

    def _of_photos(self) -> str:
        below, best = self.photos.below, self.photos.best
        low, high = below.interval
        who = f"{below.hits} of {below.n} {self.photos.source} (95\xa0%: {low:.1%} to {high:.1%})"
        return f"excites more than {who}: {self.survival.value:.3g}, a photo reaches {best:.3g} at most"

    def _of_survival(self) -> str:
        kept, value, grey = self.survival.kept, self.survival.value, self.survival.grey
        if not kept:
            return f"excites no more than plain grey: {value:.3g}, grey {grey:.3g}"
        each = ", ".join(f"{name} {share:.0%}" for name, share in kept.items())
        left = f"keeps {fmean(kept.values()):.0%} of its rise over grey ({grey:.3g} to {value:.3g})"
        return f"{left} under changes it was not painted for: {each}"

    def _of_seeds(self) -> str:
        values = self.seeds.values
        spread = f"{len(values)} seeds reach {min(values):.3g} to {max(values):.3g}, sd {stdev(values):.2g}"
        return f"{spread}; to the model their pictures are alike with a cosine of {self.seeds.likeness:.2f}"

    def _of_second(self) -> str:
        seen, place = self.second, f"place {self.second.place} of {self.second.classes}"
        why = "which it was painted for" if seen.asked else f"which {self.provenance.model} sees in it"
        return f"{seen.network} puts “{seen.label}”, {why}, in {place} ({seen.share:.0%})"

    def _of_facet(self) -> str:
        return f"the facet's term makes {self.facet:.0%} of the value, what is excited {1 - self.facet:.0%}"
