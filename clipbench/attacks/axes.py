"""What of a text on a picture can be varied while all else stays: its look, its letters, its words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from PIL import ImageColor

from clipbench.attacks.run import Case
from clipbench.attacks.scripts import SCRIPTS
from clipbench.errors import ClipbenchError, unknown
from clipbench.stimuli import FONTS, Tag
from clipbench.stimuli.recipes import check_range

Value = float | str
_NINE = tuple(f"{x} {y}" for y in (0.25, 0.5, 0.75) for x in (0.25, 0.5, 0.75))


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Args:
        name: what it is called.
        values: those that are tried unless others are given.
        told: what its values are.
        vary: a case, which has a recipe, and a value -> the case with that value.
    """

    name: str
    values: tuple[Value, ...]
    told: str
    vary: Callable[[Case, Value], Case]

    @property
    def counts(self) -> bool:
        """Whether its values are numbers."""
        return isinstance(self.values[0], int | float) if self.values else False

    def read(self, text: str) -> Value:
        """A value as it is written on a command line.

        Raises:
            ClipbenchError: it is not a number, where numbers are needed.
        """
        if not self.counts:
            return text.strip()
        try:
            number = float(text)
        except ValueError as error:
            raise ClipbenchError(f"{text!r} is not a number; {self.name} is {self.told}") from error
        return int(number) if number.is_integer() else number


def axis_of(name: str) -> Axis:
    """The axis of that name; a ClipbenchError with the nearest ones if there is none."""
    if name not in AXES:
        raise unknown("axis", name, AXES)
    return AXES[name]


def varied(case: Case, axis: Axis, values: Sequence[Value]) -> list[Case]:
    """The case at each value of an axis.

    Raises:
        ClipbenchError: no values, one that is there twice, or one that the recipe refuses.
    """
    if len(values) == 0:
        raise ClipbenchError(f"there are no values of {axis.name}; give {axis.told}")
    if len(set(values)) < len(values):
        raise ClipbenchError(f"a value of {axis.name} is there twice; give each once")
    return [axis.vary(case, value) for value in values]


def _look(**changes) -> Callable[[Case, Value], Case]:
    """Vary a field of the recipe; of those named, the one that it has."""

    def vary(case: Case, value: Value) -> Case:
        known = {field.name for field in fields(case.recipe)} & changes.keys()
        if not known:
            kind = "a paper tag" if isinstance(case.recipe, Tag) else "printed text"
            named = " or ".join(changes).replace("_", " ")
            raise ClipbenchError(f"{kind} has no {named}; vary something else")
        (name,) = known
        return replace(case, recipe=replace(case.recipe, **{name: changes[name](value)}))

    return vary


def _same(value: Value) -> Value:
    return value


def _place(value: Value) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in str(value).split())
    except ValueError as error:
        raise ClipbenchError(f'a place is two fractions, as in "0.5 0.5", not {value!r}') from error
    return x, y


def _contrast(case: Case, value: Value) -> Case:
    """The letters' colour on its way from what surrounds them, the outline or the paper, to its own."""
    check_range("contrast", value, 0, 1)
    recipe = case.recipe
    around = recipe.paper_colour if isinstance(recipe, Tag) else recipe.outline_colour
    ends = zip(ImageColor.getrgb(around)[:3], ImageColor.getrgb(recipe.colour)[:3], strict=True)
    mixed = "#" + "".join(f"{round(start + value * (end - start)):02x}" for start, end in ends)
    return replace(case, recipe=replace(recipe, colour=mixed))


def _script(case: Case, value: Value) -> Case:
    if value not in SCRIPTS:
        raise unknown("script", str(value), SCRIPTS)
    return replace(case, text=case.text.translate(SCRIPTS[value]))


def _text(case: Case, value: Value) -> Case:
    return replace(case, text=str(value))


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis("size", (8, 12, 16, 20, 28, 40, 56, 80), "pixels of 288 to the em", _look(size=_same)),
        Axis("width", (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1), "a paper tag's, 0 … 1", _look(width=_same)),
        Axis("opacity", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1), "0 … 1", _look(opacity=_same)),
        Axis(
            "contrast",
            (0, 0.1, 0.2, 0.3, 0.5, 0.7, 1),
            "0, letters like their outline or paper, … 1, as they are",
            _contrast,
        ),
        Axis("rotation", (0, 10, 20, 30, 45, 60, 90, 135, 180), "degrees", _look(rotation=_same)),
        Axis("blur", (0, 0.5, 1, 1.5, 2, 3, 4, 6), "pixels of standard deviation", _look(blur=_same)),
        Axis("jpeg", (5, 10, 20, 40, 60, 80, 95), "quality, 1 … 100", _look(jpeg=_same)),
        Axis("outline", (0, 1, 2, 3, 4, 6), "pixels", _look(outline_width=_same)),
        Axis("copies", (1, 2, 3, 4, 5, 6, 7, 8), "how many of the places bear the text", _look(copies=_same)),
        Axis("font", tuple(FONTS), "shipped fonts or paths of font files", _look(font=_same)),
        Axis(
            "colour",
            ("white", "yellow", "orange", "red", "purple", "blue", "green", "gray", "black"),
            "names or #rrggbb",
            _look(colour=_same),
        ),
        Axis("place", _NINE, 'centres of one label, such as "0.5 0.5"', _look(places=_place, place=_place)),
        Axis("script", tuple(SCRIPTS), f"of {', '.join(SCRIPTS)}", _script),
        Axis("text", (), "texts", _text),
    )
}
