"""What "Multimodal units" asks and keeps: concepts, what was measured with them, and the table they make."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.stimuli import MODALITIES
from clipbench.studies import Column, Multimodal, column, measure, table
from widgets.verdict import CONTROL

EXAMPLE = Path(__file__).parent / "examples" / "multimodal"
EXAMPLES = {"mini": "mini.npz", CONTROL: "control.npz"}
LAYER = "conv_head"  # of both
_ADDRESS = re.compile(r"([^:@]+):(\d+)")


@dataclass(frozen=True)
class Wish:
    """What an address asks for; None where it says nothing.

    Args:
        layer: name of a layer.
        unit: index of the unit in the first column.
        beside: index of the unit in the third.
    """

    layer: str = LAYER
    unit: int | None = None
    beside: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Wish":
        """Read "unit", an address such as conv_head:550, and "beside", a number; other keys are left alone.

        Raises:
            ClipbenchError: they have another form.
        """
        layer, unit = LAYER, None
        if query.get("unit"):
            match = _ADDRESS.match(query["unit"])
            if match is None:
                raise ClipbenchError(f"unit {query['unit']!r} is not an address; write {LAYER}:550")
            layer, unit = match[1], int(match[2])
        beside = query.get("beside") or None
        if beside is not None and not beside.isdecimal():
            raise ClipbenchError(f"beside cannot be {beside!r}; write the number of a unit")
        return cls(layer, unit, None if beside is None else int(beside))


@dataclass(frozen=True, eq=False)
class Answer:
    """A layer of a model, and of its control, measured with the same concepts.

    Args:
        concepts: k concepts.
        result: of the model.
        control: of the control; None where the model is the control itself.
        shipped: whether all concepts are shipped ones, so that a command can repeat it.
    """

    concepts: tuple[cb.Concept, ...]
    result: Multimodal
    control: Multimodal | None
    shipped: bool = True

    @property
    def place(self) -> tuple[str, str]:
        """Whose units they are: the hash of the weights, and the layer."""
        return self.result.provenance.weights_hash, self.result.layer

    @property
    def units(self) -> int:
        """How many units the layer has."""
        return self.result.activations.shape[1]

    @property
    def counts(self) -> str:
        """The headline: how many units are multimodal, here, in the control and by chance."""
        control = f"; the control has {self.control.count}" if self.control is not None else ""
        return f"{self.result.summary}{control}."

    @property
    def stimuli(self) -> str:
        """How many pictures there are, in all and of a concept."""
        told = []
        for modality in MODALITIES:
            sizes = [len(getattr(concept, modality)) for concept in self.concepts]
            each = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
            told.append(f"{sum(sizes)} {modality} ({each} each)")
        return f"{len(self.concepts)} concepts in {', '.join(told)}."

    @property
    def rule(self) -> str:
        """By what a cell is ticked."""
        middle = (
            " In the middle stands the control's unit whose answers to the photos correlate most with those "
            "of the first unit."
        )
        return (
            f"✓ means that the concept is among the unit's first two of {len(self.concepts)} by mean "
            "activation in that row, ✗ that it is not; with three ✓ a unit is multimodal for it. "
            f"sd: standard deviations over all {' or '.join(MODALITIES)}, before the ReLU."
            f"{'' if self.control is None else middle}"
        )

    @property
    def offers(self) -> list[tuple[str, int]]:
        """The multimodal units, the clearest first, each with the concepts that it answers to."""
        owned = {unit: [] for unit in self.result.ranked}
        for unit, concept in self.result.pairs:
            owned[unit].append(concept)
        return [(f"{unit} · {', '.join(names)}", unit) for unit, names in owned.items()]

    @property
    def best(self) -> tuple[int, int]:
        """The two clearest multimodal units; the layer's first ones where there are none."""
        ranked = [*self.result.ranked, *(unit for unit in range(2) if unit not in self.result.ranked)]
        return ranked[0], ranked[1]

    def read(self, text: str) -> int:
        """A unit from what was typed.

        Raises:
            ClipbenchError: it is no number of a unit of this layer.
        """
        if not text.strip().isdecimal() or int(text) >= self.units:
            wrong = f"{self.result.layer} has no unit {text.strip()!r}"
            raise ClipbenchError(f"{wrong}; write a whole number from 0 to {self.units - 1}")
        return int(text)

    def columns(self, unit: int, beside: int) -> Sequence[Column]:
        """The table: a unit, the control's nearest to it (if there is a control), and another unit."""
        if self.control is not None:
            return table(self.result, self.control, self.concepts, unit, beside)
        best = self.result.best
        return [column(self.result, self.concepts, each, best(each)) for each in (unit, beside)]

    def query(self, unit: int, beside: int) -> str:
        """The address that brings the table back, but for concepts of the user."""
        return urlencode({"unit": f"{self.result.layer}:{unit}", "beside": beside}, safe=":")

    def command(self, unit: int, beside: int) -> str:
        """What to type in a terminal for the same numbers; nothing with concepts of the user."""
        if not self.shipped:
            return ""
        units = [f"{self.result.layer}:{each}" for each in (unit, beside)]
        return shlex.join(["clipbench", "multimodal", *units, "--model", self.result.provenance.model])


@dataclass(frozen=True)
class Step:
    """How far a measurement has come.

    Args:
        done: pictures that were read, 0 … total.
        total: all of them.
        picture: the last one of them.
        answer: None until all were read.
    """

    done: int
    total: int
    picture: Image.Image
    answer: Answer | None = None


class Study:
    """The concepts, and every answer found with them.

    Args:
        load_control: loads the control; called when it is first needed.
    """

    def __init__(self, load_control: Callable[[], ImageModel]):
        self._load_control, self._control = load_control, None
        self._shipped, self.own = tuple(cb.concepts()), ()
        self._answers, self._of_control = {}, {}
        result, control = (Multimodal.load(EXAMPLE / file) for file in EXAMPLES.values())
        self.example = Answer(self.concepts, result, control)
        if control.concepts == tuple(each.name for each in self.concepts):
            self._answers[self._key(result.provenance.weights_hash, LAYER)] = self.example
            self._of_control[self._key(control.provenance.weights_hash, LAYER)] = control

    @property
    def concepts(self) -> tuple[cb.Concept, ...]:
        """The shipped ones, then the user's."""
        return self._shipped + self.own

    def add(self, concept: cb.Concept) -> None:
        """Take in a concept of the user.

        Raises:
            ClipbenchError: there is one of this name.
        """
        if concept.name in [each.name for each in self.concepts]:
            raise ClipbenchError(f"there is a concept {concept.name!r} already; choose another name")
        self.own = (*self.own, concept)

    def take_away(self, place: int) -> None:
        """Forget one of the user's concepts."""
        self.own = (*self.own[:place], *self.own[place + 1 :])

    def known(self, model: ImageModel, layer: str) -> Answer | None:
        """What was found for a layer with the concepts as they are, if it was measured."""
        return self._answers.get(self._key(model.weights_hash, layer))

    def measure(self, model: ImageModel, layer: str) -> Iterator[Step]:
        """Measure a layer of a model, and the control's unless it is known; whoever stops reading stops it.

        The control's layer is the one of the same name, or its last one.

        Raises:
            ClipbenchError: the model has no such layer.
        """
        concepts, runs = self.concepts, [(model, layer)]
        pictures = [image for each in concepts for images in each.modalities for image in images]
        answer_key, control_key = self._key(model.weights_hash, layer), None
        if model.name != CONTROL:
            control = self._loaded_control()
            twin = layer if layer in {*control.layers, *control.heads} else control.last_layer
            control_key = self._key(control.weights_hash, twin)
            runs += [] if control_key in self._of_control else [(control, twin)]
        results, total = [], len(runs) * len(pictures)
        for number, (network, name) in enumerate(runs):
            for progress in measure(network, concepts, name):
                done = number * len(pictures) + progress.done
                yield Step(done, total, pictures[progress.done - 1])
            results.append(progress.result)
        if len(results) == 2:
            self._of_control[control_key] = results[1]
        answer = Answer(concepts, results[0], self._of_control.get(control_key), concepts == self._shipped)
        self._answers[answer_key] = answer
        yield Step(total, total, pictures[-1], answer)

    def _key(self, weights_hash: str, layer: str) -> tuple:
        return weights_hash, layer, self.concepts

    def _loaded_control(self) -> ImageModel:
        if self._control is None:
            self._control = self._load_control()
        return self._control
