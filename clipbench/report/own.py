"""The sections for which the model is asked: pictures, what builds the unit, and what the unit does.

Each is a generator: it yields as it works, so that it can be stopped, and at last the section, a `Part`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.functional import to_pil_image

from clipbench.classify import as_classifier
from clipbench.figures import kernel_picture
from clipbench.intervals import Rate
from clipbench.optvis import Plan, objectives, parametrizations, transforms
from clipbench.optvis.facet_rows import STRENGTH
from clipbench.optvis.objectives import Objective
from clipbench.report.desk import Desk
from clipbench.report.part import Part, jpeg, png
from clipbench.report.portraits import COARSE, FINE
from clipbench.results import Provenance
from clipbench.studies import trace, trust
from clipbench.units import Unit

FACES = 4  # pictures that are made to differ from one another
_FACE, _FACE_STEPS, _APART = 112, 96, 0.5  # their size, steps, and how much their likeness counts
_FACET_STEPS = 64  # of a picture of a facet, of which there is one each
_PHOTOS = 16  # of the unit's favourites, for circuit and effect
_USUAL = 48  # other photos, for what is usual
_EDGES = {"edges": 8, "top": 8}  # of the circuit
_CHANGES = 5  # labels that are shown of those that fall and rise most
_SIDE = 112  # pixels of a small picture


def pictures(desk: Desk) -> Iterator[object]:
    """What would excite the unit most: one picture, several that differ, one a facet."""
    yield from desk.portraits.paint([desk.unit], FINE)
    plain, files = desk.portraits.image(desk.unit), {}
    files["pictures/plain"] = jpeg(plain, FINE.size)
    goal = objectives.channel(desk.unit.layer, desk.unit.channel)
    apart = goal - _APART * objectives.diversity(_early(desk), goal)
    faces, told = yield from _painted(desk, apart, FACES, _FACE_STEPS)
    files |= {f"pictures/face {number}": jpeg(face, _FACE) for number, face in enumerate(faces)}
    names = [*files]
    themes = []
    for facet in desk.facets:
        faced = objectives.faceted(goal, facet, STRENGTH)
        (face,), of_facet = yield from _painted(desk, faced, 1, _FACET_STEPS)
        files[f"pictures/facet {facet.name}"] = jpeg(face, _FACE)
        themes.append({"name": facet.name, "picture": [*files][-1], "recipe": of_facet})
    content = {
        "plain": names[0],
        "faces": names[1:],
        "faces_recipe": told,
        "facets": themes,
        "reached": _strongest(desk, [plain])[0],
        "photos_reach": desk.strongest,
        "trust": trust(desk.model, plain, goal, transforms=transforms.standard()).lines,
        "provenance": desk.portraits.provenance(desk.unit).as_dict(),
    }
    yield Part(content, files)


def circuit(desk: Desk) -> Iterator[object]:
    """Which units of the layer below build the unit."""
    shown = [*desk.favourites(_PHOTOS), *desk.usual(_USUAL, besides=_PHOTOS)]
    if len(shown) <= _EDGES["top"] or desk.unit.layer == next(iter(desk.model.layers)):
        yield Part({}, {})  # too few photos to say what is usual, or nothing below
        return
    for step in trace(desk.model, desk.unit, shown, **_EDGES):
        yield step
    found = step.result
    files = {"circuit/unit": jpeg(desk.portraits.image(desk.unit), 2 * _SIDE)}
    below = [Unit.parse(edge.unit, desk.model) for edge in found.edges]
    yield from desk.portraits.paint(below, COARSE)
    content, reach = found.as_dict(), float(np.abs(found.kernels).max()) or 1.0
    for unit, edge, told in zip(below, found.edges, content["edges"], strict=True):
        told["picture"], told["kernel_picture"] = f"circuit/{edge.unit}", f"circuit/kernel {edge.unit}"
        files[told["picture"]] = jpeg(desk.portraits.image(unit), _SIDE)
        files[told["kernel_picture"]] = png(kernel_picture(edge.kernel, reach))
    content |= {"picture": "circuit/unit", "mean_activation": float(found.activation.mean())}
    yield Part(content, files)


def effect(desk: Desk) -> Iterator[object]:
    """What becomes of the model's answers to the unit's favourite photos when it is held at its mean."""
    if desk.unit.layer in desk.model.heads:
        yield Part({}, {})  # it is an answer itself
        return
    classifier = as_classifier(desk.model)
    yield classifier
    photos = desk.favourites(_PHOTOS)
    pixels = desk.model.pixels(photos)
    with torch.no_grad():
        before = classifier.probabilities(pixels)
        with desk.model.ablate([desk.unit], value=desk.mean):
            after = classifier.probabilities(pixels)
    change = (after - before).mean(dim=0)
    order = change.argsort(stable=True).tolist()
    rows = [
        {
            "label": classifier.labels[label],
            "before": float(before[:, label].mean()),
            "after": float(after[:, label].mean()),
            "fell": Rate(int((after[:, label] < before[:, label]).sum()), len(photos)).as_dict(),
        }
        for label in [*order[:_CHANGES], *order[-_CHANGES:]]
    ]
    same = int((before.argmax(dim=1) == after.argmax(dim=1)).sum())
    told = f"{desk.unit} held at its mean {desk.mean:.3g}, {classifier.recipe}"
    model = desk.model
    provenance = Provenance(model.name, model.weights_hash, told, unit=str(desk.unit), n=len(photos))
    changed = Rate(len(photos) - same, len(photos))
    yield Part({"rows": rows, "changed": changed.as_dict(), "provenance": provenance.as_dict()}, {})


def _painted(desk: Desk, goal: Objective, batch: int, steps: int):
    """Paint pictures for an objective; yields the steps, returns the pictures and their recipe."""
    plan = Plan(goal, parametrizations.fft(_FACE, batch=batch), steps=steps)
    for step in plan.run(desk.model):
        yield step
    return [to_pil_image(image.float().cpu()) for image in step.images], f"{plan}, seed {plan.seed}"


def _early(desk: Desk) -> str:
    """A layer half-way to the unit's, where styles are compared."""
    names = [*desk.model.layers]
    below = names.index(desk.unit.layer) if desk.unit.layer in names else len(names)
    return names[below // 2]


def _strongest(desk: Desk, images: Sequence[Image.Image]) -> list[float]:
    """The unit's strongest answer to each picture."""
    values = desk.model.activations(images, desk.unit.layer)[:, desk.unit.channel]
    return values.flatten(1).amax(dim=1).tolist()
