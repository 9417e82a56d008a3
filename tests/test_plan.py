"""A plan goes into a file and comes back: run again, it paints the same picture to the bit."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import isabstract

import pytest
import torch
from torchvision.transforms.functional import to_pil_image

import clipbench as cb
from clipbench.classify.probe import Probe
from clipbench.intervals import Rate
from clipbench.models import VisionModel
from clipbench.optvis import Plan, settings
from clipbench.optvis.plan import differences
from clipbench.optvis.probes import Facet
from clipbench.results import Provenance

goals, canvases, views, penalties = cb.objectives, cb.parametrizations, cb.transforms, cb.regularizers
UNIT = goals.channel("layer2", 3)
SMALL = canvases.fft(64)
PHOTO = to_pil_image(torch.rand(3, 90, 120, generator=torch.Generator().manual_seed(1)))

# Every kind of objective, canvas, view and penalty is in one of these, as a test asserts.
PLANS: dict[str, Callable[[VisionModel], Plan]] = {
    "weights": lambda tiny: Plan(
        UNIT * (1 / 3) - 0.1 * goals.neuron("layer1", 2) + goals.neuron("layer3", 0, (1, 0)), SMALL
    ),
    "batch": lambda tiny: Plan(
        goals.batch([UNIT, goals.layer("layer1"), _direction(tiny)])
        - 0.5 * goals.diversity("layer1", UNIT)
        + goals.alignment("layer1"),
        canvases.shared(canvases.fft(64, 3)),
    ),
    "photos": lambda tiny: Plan(
        goals.inversion("layer2", PHOTO) + goals.caricature("layer1", PHOTO, 0.3),
        canvases.pixel(64, photo=PHOTO),
    ),
    "facet": lambda tiny: Plan(
        goals.faceted(UNIT, _facet(tiny), [0.1, 5]), canvases.laplacian(64, 2, photo=PHOTO)
    ),
    "elsewhere": lambda tiny: Plan(UNIT - goals.elsewhere(tiny, UNIT), canvases.lowres(64, factor=4)),
    "label": lambda tiny: Plan(
        goals.label("class 3") + goals.label("dog", probe=_probe(tiny)), canvases.cppn(64)
    ),
    "interpolation": lambda tiny: Plan(
        goals.interpolate(UNIT, goals.channel("layer1", 0)), canvases.maco(64, 2)
    ),
    "views": lambda tiny: Plan(
        UNIT,
        canvases.transparent(SMALL),
        (views.several(2), *views.standard(4, 0.1, 3), views.perspective(), views.crop(0.5, 1)),
        tuple(make(0.1) for make in (penalties.tv, penalties.l1, penalties.l2, penalties.blur)),
    ),
    "looks": lambda tiny: Plan(
        UNIT,
        SMALL,
        (views.colour(), views.noise(0.1), views.at(96)),
        (penalties.l2mean(1), penalties.bilateral(0.1)),
        lr=0.02,
    ),
    "alpha": lambda tiny: Plan(UNIT, canvases.transparent(SMALL), (), (penalties.alpha(0.5),)),
}


def _direction(tiny: VisionModel):
    return goals.direction("layer1", torch.linspace(-1, 1, tiny.layer("layer1").channels), 2)


def _facet(tiny: VisionModel) -> Facet:
    weights = torch.linspace(-1, 1, tiny.layer("layer1").channels)
    return Facet("theme", {"layer1": weights}, tiny.name, tiny.weights_hash, {"layer1": 0.9}, (20, 30))


def _probe(tiny: VisionModel) -> Probe:
    weights = torch.linspace(-1, 1, tiny.heads["embedding"].channels)[None]
    origin = Provenance(tiny.name, tiny.weights_hash, "by hand")
    return Probe(tiny, ("dog",), weights, torch.tensor([0.3]), "probe", Rate(1, 1), (), origin)


def through_a_file(provenance: Provenance) -> Provenance:
    return Provenance(**json.loads(json.dumps(provenance.as_dict())))


def last(plan: Plan, model: VisionModel) -> torch.Tensor:
    *_, step = plan.run(model)
    return step.images


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_comes_back_paints_the_same_picture_to_the_bit(tiny, name):
    plan = replace(PLANS[name](tiny), steps=2, seed=5)
    again = Plan.of(through_a_file(plan.provenance(tiny)), tiny)
    assert again == plan and str(again) == str(plan)
    picture = last(plan, tiny)
    assert torch.equal(last(again, tiny), picture)
    assert not torch.equal(last(replace(again, seed=6), tiny), picture)


def kinds_in(document) -> Iterator[str]:
    if isinstance(document, dict):
        yield from [document["is"]] if "is" in document else []
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from kinds_in(each)


def test_every_kind_has_been_through_a_file(tiny):
    written = {
        kind for make in PLANS.values() for kind in kinds_in(make(tiny).provenance(tiny).settings["plan"])
    }
    known = {name for name, kind in settings.kinds().items() if not isabstract(kind)}
    own = {name for name in known if settings.kinds()[name].__module__.startswith("clipbench.")}
    assert own - written <= {"Text", "Towards", "Shipped", "Transform", "Look", "_Layered"}


def test_the_prior_of_clipbench_comes_back(tiny):
    plan = Plan(UNIT, SMALL, prior=cb.priors.denoiser(0.3))
    assert Plan.of(through_a_file(plan.provenance(tiny)), tiny) == plan


def test_the_file_says_of_a_batch_which_picture_it_holds(tiny):
    batch = Plan(goals.batch([UNIT, goals.channel("layer1", 0)]), canvases.fft(64, 2))
    origin = batch.provenance(tiny, "layer1:0", 1)
    assert origin.recipe.startswith("channel(layer1:0), fft(64 px") and origin.n == 1
    assert origin.recipe.endswith("256 steps, 2 of a batch of 2") and origin.settings["picture"] == 1
    assert Plan.of(origin, tiny) == batch
    assert batch.provenance(tiny).recipe == str(batch) and batch.provenance(tiny).n == 2


def test_a_photo_is_kept_as_it_is_seen_and_bears_the_name_of_the_whole(tiny):
    plan = PLANS["photos"](tiny)
    document = plan.provenance(tiny).settings["plan"]["parametrization"]["photos"][0]
    kept = settings.read(document, load=None)
    assert kept.image.size == (64, 64) and kept == plan.parametrization.photos[0]


def test_what_is_ones_own_prints_itself_but_cannot_be_repeated(tiny):
    origin = Plan(UNIT, SMALL, prior=torch.nn.Identity()).provenance(tiny)
    assert "prior Identity" in origin.recipe and origin.settings is None
    with pytest.raises(cb.ClipbenchError, match="does not hold its settings"):
        Plan.of(origin, tiny)


def test_another_model_is_refused_by_its_hash(tiny):
    origin = PLANS["label"](tiny).provenance(tiny)
    with pytest.raises(cb.ClipbenchError, match="painted with tiny 76543210, not with tiny 01234567"):
        Plan.of(replace(origin, weights_hash="7654321076ab"), tiny)
    inner = copy.deepcopy(PLANS["elsewhere"](tiny).provenance(tiny))
    inner.settings["plan"]["objective"]["terms"][1][1]["model"]["weights_hash"] = "7654321076ab"
    with pytest.raises(cb.ClipbenchError, match="painted with tiny 76543210, which is 01234567 here"):
        Plan.of(inner, tiny)


@pytest.mark.parametrize(
    "change",
    [
        {"objective": None},
        {"objective": {"is": "Objective", "terms": [[1.0, "channel"]]}},
        {"objective": {"is": "Objective", "terms": [[1.0, {"is": "Channel", "layer": 3, "channel": 3}]]}},
        {"objective": {"is": "Path", "terms": []}},
        {"parametrization": {"is": "Fft", "size": "64", "batch": 1, "decay": 1.0}},
        {"parametrization": {"is": "Fft", "width": 64}},
        {"transforms": [{"is": "Tv", "weight": 1.0}]},
        {"prior": {"is": "tensor", "npy": "bm8="}},
        {"steps": 1.5},
        {"colour": "red"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_get_one_sentence(tiny, change):
    origin = Plan(UNIT, SMALL).provenance(tiny)
    plan = {**origin.settings["plan"], **change}
    with pytest.raises(cb.ClipbenchError, match="settings of the picture cannot be understood"):
        Plan.of(replace(origin, settings={**origin.settings, "plan": plan}), tiny)


@pytest.mark.parametrize("picture", [1, -1, "all"])
def test_a_picture_that_its_batch_does_not_have_is_refused(tiny, picture):
    origin = Plan(UNIT, SMALL).provenance(tiny)
    with pytest.raises(cb.ClipbenchError, match=f"a batch of 1 has no picture {picture!r}"):
        Plan.of(replace(origin, settings={**origin.settings, "picture": picture}), tiny)


def test_what_is_not_as_it_was_is_named(tiny):
    origin = Plan(UNIT, SMALL).provenance(tiny)
    assert differences(origin, tiny) == []
    older = replace(
        origin,
        versions={**origin.versions, "torch": "1.0"},
        settings={**origin.settings, "threads": 99},
    )
    named = differences(older, tiny)
    assert named == [f"torch 1.0 → {origin.versions['torch']}", f"threads 99 → {torch.get_num_threads()}"]
