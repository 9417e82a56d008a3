"""Everything that decides an optimised picture, as the controls of a panel and an address have it."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from clipbench.errors import ClipbenchError, unknown
from clipbench.optvis.original import Original
from clipbench.optvis.probes import Facet

WANTS = ("neuron", "channel", "layer", "direction", "text", "label", "inversion", "caricature")
CANVASES = ("fft", "maco", "laplacian", "lowres", "cppn", "pixel")
FACES = ("one", "diverse", "of photos", "facet", "strip")
CHOICES = {"want": WANTS, "canvas": CANVASES, "faces": FACES}
GROUPS = {
    "frequency": ("canvas", "decay", "tv", "l1", "l2", "blur", "bilateral"),
    "robustness": ("jitter", "scale", "rotate", "perspective", "colour", "noise", "crops"),
    "prior": ("natural",),
}
_SAME = ("tv", "l1", "l2", "blur", "jitter", "scale", "rotate")  # that the command has by the same names
_OPTIONS = {**{name: name for name in _SAME}, "natural": "prior"}
_TOLD = {"unit", "want", "words", "pixels", "steps", "seed", *_OPTIONS}  # all that the command's options say


@dataclass(frozen=True)
class Recipe:
    """What to paint and how. The names of the fields are the keys of the address, but for the last two.

    Args:
        unit: address of a unit; a neuron without a position is the middle one.
        want: one of `WANTS`: the unit at one position, at all of them, its whole layer, a direction in that
            layer, a text, a label, or what the layer makes of a photo, true or exaggerated.
        words: the text or label that the picture is to look like, or the direction, as in "550 - 0.5*7".
        frequency: False writes the picture as pixels, without penalties.
        canvas: one of `CANVASES`, how the picture is written.
        decay: of the spectrum that `fft` starts with and learns in.
        tv, l1, l2, blur, bilateral: weights of the frequency penalties.
        robustness: False shows the model the picture as it is.
        jitter: shift in pixels; a second, half as large one follows the other transforms, as in
            `transforms.standard()`.
        scale: 0.1 scales by 0.9 to 1.1.
        rotate: degrees to each side.
        perspective, colour, noise: as in `clipbench.transforms`; 0 for none.
        crops: views a step of a fifth to a half of the side, as in `transforms.maco`; 0 for none.
        prior: False leaves the learned prior out.
        natural: strength of the learned prior, 0 … 1.
        photo: name of the shipped photo to start from, or whose features are wanted; empty for noise.
        faces: one of `FACES`: one picture; k that differ; k that start from groups of photos; one that leans
            towards a facet; k that lean more and more.
        k: number of pictures, where there are several.
        diversity: weight of the difference between the pictures.
        facet: name of a facet.
        strength: of the facet; of the strip, that of its last picture.
        pixels: height and width.
        steps, seed: as in `visualize`.
        rate: multiple of the learning rate that belongs to the canvas.
        upload: a photo of the user to start from, in place of a shipped one.
        own_facet: a facet of the user, in place of a shipped one.
    """

    unit: str
    want: str = "channel"
    words: str = ""
    frequency: bool = True
    canvas: str = "fft"
    decay: float = 1.0
    tv: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    blur: float = 0.0
    bilateral: float = 0.0
    robustness: bool = True
    jitter: int = 8
    scale: float = 0.1
    rotate: float = 10.0
    perspective: float = 0.0
    colour: float = 0.0
    noise: float = 0.0
    crops: int = 0
    prior: bool = True
    natural: float = 0.0
    photo: str = ""
    faces: str = "one"
    k: int = 4
    diversity: float = 4.0
    facet: str = ""
    strength: float = 1.0
    pixels: int = 192
    steps: int = 256
    seed: int = 0
    rate: float = 1.0
    upload: Original | None = None
    own_facet: Facet | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], default: "Recipe") -> "Recipe":
        """The default, changed by what an address says; keys of other panels are left alone.

        Raises:
            ClipbenchError: a value that its key cannot take.
        """
        named = {key: _read(key, query[key], kind) for key, kind in _KINDS.items() if key in query}
        for key, choices in CHOICES.items():
            if named.get(key, getattr(default, key)) not in choices:
                raise unknown(key, named[key], choices)
        return dataclasses.replace(default, **named)

    def query(self) -> str:
        """The address: the unit, and whatever differs from the ordinary."""
        told = {key: _write(value) for key, value in self._unusual().items() if key in _KINDS}
        return urlencode(told, safe=":@,")

    def without(self, group: str) -> "Recipe":
        """The same with one group of regularizers switched off."""
        return dataclasses.replace(self, **{group: False})

    def difference(self, other: "Recipe") -> str:
        """What another recipe has otherwise, in words, as in "robustness off, tv 0.01"."""
        told = []
        for field in dataclasses.fields(self):
            mine, its = getattr(self, field.name), getattr(other, field.name)
            if mine != its:
                told.append(f"{field.name} {_in_words(its)}")
        return ", ".join(told)

    def command(self, model: str, steps: int) -> str:
        """What to type in a terminal for the picture after some steps.

        A picture that the options of the command cannot describe is repeated from its own file, saved first.
        """
        words, unusual = ["clipbench", "visualize"], self._unusual()
        leaning = self.faces == "facet" and self.own_facet is None
        told = _TOLD | {"faces", "facet", "strength"} if leaning else _TOLD
        if self.want == "direction" or unusual.keys() - told:
            return shlex.join([*words, "--like", f"{self.name}.png", "--out", f"{self.name}-again.png"])
        words += [f"--{self.want}", self.words] if self.spoken else [self.address]
        words += ["--objective", "neuron"] if self.want == "neuron" else []
        words += ["--model", model] if model != "mini" else []
        words += ["--steps", str(steps), "--size", str(self.pixels), "--seed", str(self.seed)]
        for key in unusual:
            words += [f"--{_OPTIONS[key]}", _write(unusual[key])] if key in _OPTIONS else []
        words += ["--facet", self.facet, "--strength", _write(self.strength)] if leaning else []
        return shlex.join([*words, "--out", f"{self.name}.png"])

    @property
    def address(self) -> str:
        """What is aimed at: a neuron with its position, a channel without, or a layer."""
        layer, _, channel = self.unit.partition(":")
        if self.want in ("neuron", "channel"):
            return f"{layer}:{channel.partition('@')[0]}" if self.want == "channel" else self.unit
        return layer

    @property
    def spoken(self) -> bool:
        """Whether words, not a unit, say what is wanted."""
        return self.want in ("text", "label")

    @property
    def of_photo(self) -> bool:
        """Whether the features of a photo are wanted."""
        return self.want in ("inversion", "caricature")

    @property
    def batch(self) -> int:
        """Number of pictures."""
        return 1 if self.faces in ("one", "facet") else self.k

    @property
    def name(self) -> str:
        """A file name without its ending."""
        what = self.words if self.spoken else self.address
        return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in what)

    def _unusual(self) -> dict:
        """The unit, and the fields that differ from the ordinary, in the order of the fields."""
        ordinary = Recipe(unit="")
        items = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {key: value for key, value in items.items() if value != getattr(ordinary, key)}


# What an address can say. Uploads cannot travel in one.
_KINDS = {field.name: field.type for field in dataclasses.fields(Recipe) if isinstance(field.type, type)}


def _read(key: str, value: str, kind: type):
    if kind is bool:
        return value != "0"
    try:
        return kind(value)
    except ValueError as error:
        raise ClipbenchError(f"{key}={value} in the address is no number; write {key}=1, say") from error


def _write(value: float | str) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _in_words(value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return _write(value) if value not in ("", None) else "none"
