"""Everything that decides an optimised picture, as the controls of a panel and an address have it."""

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import clipbench as cb
from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.optvis import Step, recipe

WANTS = ("neuron", "channel", "layer", "text")
_LR = 0.05
_ENDLESS = 10**9  # steps; whoever reads the stream decides when it is enough


@dataclass(frozen=True)
class Recipe:
    """What to paint and how. The names of the fields are the keys of the address.

    Args:
        unit: address of a unit; a neuron without a position is the middle one.
        want: one of `WANTS`: the unit at one position, at all of them, its whole layer, or a text.
        words: the text that the picture is to look like, where that is wanted.
        tv, l1, l2, blur: weights of the frequency penalties.
        jitter: shift in pixels; a second, half as large one follows the other transforms, as in
            `transforms.standard()`.
        scale: 0.1 scales by 0.9 to 1.1.
        rotate: degrees to each side.
        pixels: height and width.
        steps, seed: as in `visualize`.
    """

    unit: str
    want: str = "channel"
    words: str = ""
    tv: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    blur: float = 0.0
    jitter: int = 8
    scale: float = 0.1
    rotate: float = 10.0
    pixels: int = 192
    steps: int = 256
    seed: int = 0

    @classmethod
    def from_query(cls, query: Mapping[str, str], default: "Recipe") -> "Recipe":
        """The default, changed by what an address says; keys of other panels are left alone.

        Raises:
            ClipbenchError: a value that its key cannot take.
        """
        kinds = {field.name: type(getattr(default, field.name)) for field in dataclasses.fields(cls)}
        named = {key: _read(key, value, kinds[key]) for key, value in query.items() if key in kinds}
        if named.get("want", default.want) not in WANTS:
            raise unknown("wish", named["want"], WANTS)
        return dataclasses.replace(default, **named)

    def query(self) -> str:
        """The address: the unit, and whatever differs from the ordinary."""
        ordinary = Recipe(unit="")
        items = [(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)]
        told = {key: _write(value) for key, value in items if value != getattr(ordinary, key)}
        return urlencode(told, safe=":@,")

    def stream(self, model: ImageModel) -> Iterator[Step]:
        """The optimisation, without an end.

        Raises:
            ClipbenchError: the model has no such unit, cannot take the size, or has no text tower.
        """
        objective, parametrization, transforms, regularizers = self._parts(model)
        return cb.visualize(
            model,
            objective,
            parametrization=parametrization,
            transforms=transforms,
            regularizers=regularizers,
            lr=_LR,
            steps=_ENDLESS,
            seed=self.seed,
        )

    def provenance(self, model: ImageModel, steps: int) -> cb.Provenance:
        """Where the picture after some steps comes from."""
        told = recipe(*self._parts(model), _LR, steps)
        unit = None if self.want == "text" else self.address
        return cb.Provenance(model.name, model.weights_hash, told, unit=unit, seed=self.seed, n=1)

    def command(self, model: str, steps: int) -> str:
        """What to type in a terminal for the picture after some steps."""
        ordinary = Recipe(unit="")
        words = [
            "clipbench",
            "visualize",
            *(["--text", self.words] if self.want == "text" else [self.address]),
        ]
        words += ["--objective", "neuron"] if self.want == "neuron" else []
        words += ["--model", model] if model != "mini" else []
        words += ["--steps", str(steps), "--size", str(self.pixels), "--seed", str(self.seed)]
        for key in ("tv", "l1", "l2", "blur", "jitter", "scale", "rotate"):
            if getattr(self, key) != getattr(ordinary, key):
                words += [f"--{key}", _write(getattr(self, key))]
        return shlex.join([*words, "--out", f"{self.name}.png"])

    @property
    def address(self) -> str:
        """What is aimed at: a neuron with its position, a channel without, or a layer."""
        layer, _, channel = self.unit.partition(":")
        return {"layer": layer, "channel": f"{layer}:{channel.partition('@')[0]}"}.get(self.want, self.unit)

    @property
    def name(self) -> str:
        """A file name without its ending."""
        what = self.words if self.want == "text" else self.address
        return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in what)

    def _parts(self, model: ImageModel) -> tuple:
        transforms = cb.transforms.standard(self.jitter, self.scale, self.rotate)
        weights = {"tv": self.tv, "l1": self.l1, "l2": self.l2, "blur": self.blur}
        regularizers = tuple(
            getattr(cb.regularizers, name)(weight) for name, weight in weights.items() if weight
        )
        return self._objective(model), cb.parametrizations.fft(self.pixels), transforms, regularizers

    def _objective(self, model: ImageModel):
        if self.want == "text":
            return cb.objectives.text(self.words)
        unit = cb.Unit.parse(self.unit, model)
        if self.want == "layer":
            return cb.objectives.layer(unit.layer)
        if self.want == "neuron":
            return cb.objectives.neuron(unit.layer, unit.channel, unit.position)
        return cb.objectives.channel(unit.layer, unit.channel)


def _read(key: str, value: str, kind: type):
    try:
        return kind(value)
    except ValueError as error:
        raise ClipbenchError(f"{key}={value} in the address is no number; write {key}=1, say") from error


def _write(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
