"""Faces of a unit from photos, strips of strengths, and what an ascent from a photo has changed."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

import clipbench as cb
from clipbench.optvis.faces import excitement, find_faces
from clipbench.optvis.probes import Facet
from clipbench.optvis.speakers import speakers
from clipbench.optvis.strengths import PUBLISHED, measure_strip
from clipbench.optvis.themes import absent_facets, shipped_facets
from clipbench.studies.adversarial_example import adversarial

UNIT = cb.objectives.channel("layer3", 5)
KINDS, VARIANTS = 4, 4


@pytest.fixture(scope="module")
def photos():
    """Four variants of each of four pictures, which differ from one another by faint noise only."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(20, 236, (KINDS, 8, 8, 3))
    clear = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, None]
    noisy = clear + rng.integers(-3, 4, (KINDS, VARIANTS, 64, 64, 3))
    return [Image.fromarray(each) for each in noisy.reshape(-1, 64, 64, 3).astype(np.uint8)]


def test_excitement_is_the_mean_activation(tiny, photos):
    expected = tiny.activations(photos, "layer3")[:, 5].mean(dim=(1, 2))
    torch.testing.assert_close(torch.from_numpy(excitement(tiny, UNIT, photos)), expected)


def test_faces_are_the_kinds_of_the_strongest_photos(tiny, photos):
    found = find_faces(tiny, UNIT, photos, k=2)
    by_kind = found.values.reshape(KINDS, VARIANTS).mean(axis=1)
    strongest = np.argsort(-by_kind)[:2]  # half of 16 photos: two whole kinds, the stronger one first
    assert [{number // VARIANTS for number in group} for group in found.groups] == [{k} for k in strongest]
    for group, start in zip(found.groups, found.starts, strict=True):
        assert sorted(found.values[list(group)], reverse=True) == found.values[list(group)].tolist()
        mean = torch.stack([pil_to_tensor(photos[number]).float() for number in group]).mean(dim=0)
        np.testing.assert_allclose(start, mean.permute(1, 2, 0), atol=0.51)
    assert found.strongest[0] == found.groups[0][0] == found.values.argmax()
    assert found.provenance.n == 16 and "channel(layer3:5), 2 groups of the 8" in found.provenance.recipe


def test_each_picture_of_a_batch_starts_from_its_own_photo(tiny, photos):
    for make in (cb.parametrizations.fft, cb.parametrizations.pixel, cb.parametrizations.laplacian):
        canvas = make(64, batch=2, photo=photos[::8])
        step = next(iter(cb.visualize(tiny, UNIT, parametrization=canvas, steps=1)))
        expected = torch.stack([pil_to_tensor(photo).float() / 255 for photo in photos[::8]])
        torch.testing.assert_close(step.images, expected, atol=1 / 510 + 1e-4, rtol=0)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda tiny, photos: find_faces(tiny, UNIT, photos, k=1), "at least 2"),
        (lambda tiny, photos: find_faces(tiny, UNIT, photos[:4], k=4), "too few for 4 faces"),
        (lambda tiny, photos: find_faces(tiny, UNIT, photos[:1] * 16, k=2), "too few for 2 faces"),
        (lambda tiny, photos: find_faces(tiny, UNIT, []), "there are no photos"),
        (lambda tiny, photos: cb.parametrizations.fft(64, batch=3, photo=photos[:2]), "2 photos do not fit"),
        (lambda tiny, photos: cb.parametrizations.fft(64, photo=[]), "0 photos do not fit"),
    ],
)
def test_bad_input_is_told(tiny, photos, call, told):
    with pytest.raises(cb.ClipbenchError, match=told):
        call(tiny, photos)


# strips


@pytest.fixture(scope="module")
def facet(tiny):
    channels = [tiny.layer(layer).channels for layer in ("layer1", "layer2")]
    maps = torch.randn(channels[0], 3, 3), torch.randn(channels[1])
    return Facet("random", dict(zip(("layer1", "layer2"), maps, strict=True)))


def test_a_strip_says_how_much_unit_and_theme_there_is(tiny, facet):
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    provenance = cb.Provenance("tiny", "0", "")
    strip = measure_strip(tiny, UNIT, facet, [0.1, 1, 5], images, provenance)
    shown = [cb.models.Read("layer3"), cb.models.Read("layer1", True), cb.models.Read("layer2", True)]
    unit, first, second = (tiny.read(images, shown)[read].mean(dim=(2, 3)) for read in shown)
    theme = first @ facet.weights["layer1"].mean(dim=(1, 2)) + second @ facet.weights["layer2"]
    torch.testing.assert_close(torch.from_numpy(strip.unit), unit[:, 5].detach())
    torch.testing.assert_close(torch.from_numpy(strip.theme), theme.detach())
    np.testing.assert_array_equal(strip.images[1, 2, 3], (images[1, :, 2, 3] * 255).round().byte())
    with pytest.raises(cb.ClipbenchError, match="2 strengths do not fit 3"):
        measure_strip(tiny, UNIT, facet, [0.1, 1], images, provenance)


def test_the_published_strengths_are_those_of_the_article():
    assert len(PUBLISHED) == 9 and (PUBLISHED[0], PUBLISHED[5], PUBLISHED[8]) == (0.1, 3.1625, 5.0)


# pictures and adversarial examples


def test_without_regularizers_a_photo_becomes_something_else_that_looks_the_same(mini):
    apple = cb.samples()[0].image
    canvas = cb.parametrizations.pixel(mini.image_size, photo=apple)
    goal = cb.objectives.label("toaster")
    steps = list(cb.visualize(mini, goal, parametrization=canvas, transforms=(), lr=canvas.lr / 10, steps=24))
    record = adversarial(mini, steps[0].images[0], steps[-1].images[0], "toaster", change="24 steps")
    before, after = record.verdict.winners
    assert before != "toaster" and after == "toaster"
    assert 0 < record.mean_change < 4  # levels of 255
    assert record.likely(1)[0][0] == "toaster" and record.verdict.provenance.recipe.startswith("24 steps")
    place = np.unravel_index(np.abs(record.change).argmax(), record.change.shape)
    grown = record.photo[place].astype(int) + record.change[place]
    assert grown == record.result[place] and record.amplified()[place] == np.clip(
        128 + 10 * record.change[place], 0, 255
    )
    with pytest.raises(cb.ClipbenchError, match="take steps of one ascent"):
        adversarial(mini, steps[0].images[0], steps[-1].images[0, :, 1:])


def test_the_figure_of_a_strip_tells_the_strengths_and_what_was_measured(tiny, facet):
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    strip = measure_strip(tiny, UNIT, facet, [0.1, 1, 5], images, cb.Provenance("tiny", "0", ""))
    figure = cb.figures.strip(strip)
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts[1:4] == ["0.1", "1", "5"] and len(figure.layout.images) == 3
    assert texts[5] == f"{strip.unit[0]:.3g}".replace("-", "−")


# from words to units


def test_the_slope_along_a_unit_is_what_raising_it_gains(tiny, photos):
    """A second road: raise the unit a little by an edit, and look at the objective."""
    goal, step = cb.objectives.channel("layer4", 3), 1e-2
    found = speakers(tiny, goal, "layer3", photos[::2])
    unit, slope = found.top(1)[0]
    channel = int(unit.partition(":")[2])
    spread = tiny.activations(photos[::2], "layer3")[:, channel].mean(dim=(1, 2)).std()
    raised = torch.zeros(tiny.layer("layer3").channels)
    raised[channel] = step
    before = excitement(tiny, goal, photos[::2]).mean()
    with tiny.add("layer3", raised):
        after = excitement(tiny, goal, photos[::2]).mean()
    assert slope == pytest.approx((after - before) / step * spread.item(), rel=0.05)
    assert slope == found.slopes.max()


def test_a_search_above_the_objective_is_refused(tiny, photos):
    with pytest.raises(cb.ClipbenchError, match="contributes nothing"):
        speakers(tiny, UNIT, "layer4", photos)


# shipped facets


def test_the_shipped_facets_are_those_of_mini(mini):
    """Where this fails, mini has changed: run scripts/make_facets.py."""
    shipped, absent = shipped_facets(mini), absent_facets(mini)
    assert shipped.keys() | absent.keys() >= {
        "text",
        "logo",
        "face",
        "architecture",
        "indoor",
        "nature",
        "pose",
    }
    assert all(min(facet.accuracy.values()) >= 0.8 for facet in shipped.values())
    assert not shipped.keys() & absent.keys() and all(absent.values())


def test_the_facet_of_text_tells_words_that_it_has_not_seen_from_photos(mini):
    facet = shipped_facets(mini)["text"]
    words = [cb.written(word, "DejaVu Sans") for word in ("democracy", "hello", "seventeen", "rain")]
    photos = [photo.image for photo in cb.samples() if not photo.labelled][:16]
    images, origin = mini.pixels([*words, *photos]), cb.Provenance("mini", "0", "")
    strip = measure_strip(mini, cb.objectives.channel("conv_head", 0), facet, range(20), images, origin)
    assert strip.theme[:4].min() > np.quantile(strip.theme[4:], 0.9)
