"""Where a result comes from, carried by every figure, file and panel that shows it."""

from dataclasses import asdict, dataclass, field
from importlib.metadata import version


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a result looks like."""
    return {name: version(name) for name in ("clipbench", "torch", "open_clip_torch", "timm", "pillow")}


@dataclass(frozen=True)
class Provenance:
    """How a result was obtained.

    Args:
        model: the name that `load` takes.
        weights_hash: first 12 hex digits of the SHA-256 of the weights.
        recipe: everything else that decides the result, as the parts print themselves.
        unit: address of the unit, or None where the result belongs to no unit.
        seed: seed of the random draws, or None where nothing is drawn.
        n: number of images (or trials) behind the result.
        versions: package versions.
        settings: the recipe as plain JSON types, from which the result can be repeated to the bit, or None
            where it was not kept; see `clipbench.optvis.plan.Plan`.
    """

    model: str
    weights_hash: str
    recipe: str
    unit: str | None = None
    seed: int | None = None
    n: int | None = None
    versions: dict[str, str] = field(default_factory=versions)
    settings: dict | None = field(default=None, repr=False)

    def caption(self) -> str:
        """One line for below a picture: model, unit, recipe, seed, n."""
        parts = [self.source, self.unit, self.recipe]
        parts += [f"seed {self.seed}" if self.seed is not None else None]
        parts += [f"n = {self.n}" if self.n is not None else None]
        return " · ".join(part for part in parts if part)

    @property
    def source(self) -> str:
        """What stands on a figure: model and weights."""
        return f"{self.model} {self.weights_hash[:8]}".rstrip()  # a published record has no weights

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return asdict(self)
