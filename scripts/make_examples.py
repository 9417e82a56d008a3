"""Make the examples that the panels open with, from the models as they are; run it when a model changes.

    python scripts/make_examples.py [feature] [explain] [multimodal] [text]

The units were chosen by eye, from sheets of units painted by the same recipe.
"""

import sys
from dataclasses import replace

import clipbench as cb
from clipbench.classify.likely import most_likely
from clipbench.results import save_png
from clipbench.stimuli import sample
from clipbench.studies import look_for_text, maps
from widgets import explain, feature, phrases, study
from widgets.findings import Finder
from widgets.growth import Growth
from widgets.recipe import Recipe


def make_feature() -> None:
    """The picture that "See a unit" opens with: the wings of butterflies."""
    model = cb.load("mini", device="cpu")
    recipe = Recipe(unit="conv_head:559", l1=0.005, jitter=16, scale=0.2, rotate=15.0, seed=2)
    growth = Growth(recipe, lambda: model)
    for step in growth.grow():
        _tell(step.number, growth.goal)
    growth.hold()
    found = Finder().find(growth, growth.number)
    growth.save(feature.EXAMPLE, most_likely(model, growth.image(growth.number)), found.as_dict())


def make_explain() -> None:
    """Pictures of a neuron, a channel and a layer, and their maps of a photo: a unit that wants eyes."""
    model = cb.load("mini", device="cpu")
    recipe = Recipe(unit="blocks.4:75", l1=0.002, jitter=16, scale=0.2, rotate=15.0, steps=128)
    explain.EXAMPLES.mkdir(parents=True, exist_ok=True)
    for want in ("neuron", "channel", "layer"):
        growth = Growth(replace(recipe, want=want), lambda: model)
        for step in growth.grow():
            _tell(step.number, growth.goal)
        origin = growth.provenance(growth.goal)
        save_png(growth.image(growth.goal), explain.EXAMPLES / f"{want}.png", origin)
    found = maps(model, sample(explain.PHOTO).image, recipe.unit)
    found.save(explain.EXAMPLES / "maps.npz")


def make_multimodal() -> None:
    """What "Multimodal units" opens with: the last layer of mini and of its control, measured."""
    study.EXAMPLE.mkdir(parents=True, exist_ok=True)
    for name, file in study.EXAMPLES.items():
        cb.multimodal(cb.load(name, device="cpu"), cb.concepts(), study.LAYER).save(study.EXAMPLE / file)


def make_text() -> None:
    """What "Maximal text" opens with."""
    for step in look_for_text(cb.load("mini", device="cpu"), phrases.UNIT):
        _tell(step.done, step.total, "phrase")
    step.result.save(phrases.EXAMPLE)


def _tell(number: int, goal: int, what: str = "step") -> None:
    print(f"\r{what} {number} of {goal}", end="" if number < goal else "\n", file=sys.stderr)


MAKERS = {"feature": make_feature, "explain": make_explain, "multimodal": make_multimodal, "text": make_text}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
