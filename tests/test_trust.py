"""The trust meter against closed forms: objectives that are sums over pixels, whose changes are known."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis import Step, objectives
from clipbench.optvis.probes import Facet
from clipbench.studies import (
    PhotoQuantiles,
    TrustReport,
    measure_quantiles,
    shipped_quantiles,
    trust,
    trust_controls,
)
from clipbench.studies.photo_quantiles import LEVELS
from clipbench.studies.trust_controls import shuffled

SIZE = 32


@dataclass(frozen=True)
class Pattern(objectives.Term):
    """How much of a fixed pattern there is in the pictures: the mean of their product, grey counting 0."""

    name: str

    def __str__(self):
        return self.name

    def bind(self, model):
        def value(seen):
            return ((seen.view - 0.5) * PATTERNS[self.name][: seen.view.shape[-1]]).mean(dim=(1, 2, 3))

        return objectives.Bound(frozenset(), value)


def lines(period):
    """(2 SIZE,) of 1 and -1, and as many of either in each period."""
    return torch.where(torch.arange(2 * SIZE) % period < period / 2, 1.0, -1.0)


PATTERNS = {"brightness": torch.ones(2 * SIZE), "fine": lines(2), "coarse": lines(16)}


def pattern(name):
    return objectives.Objective(((1.0, Pattern(name)),))


def picture(name, strength=0.4):
    """The picture of which a pattern finds most: (3, SIZE, SIZE)."""
    return (0.5 + strength * PATTERNS[name][:SIZE]).expand(3, SIZE, SIZE)


# changes


def test_a_mirror_turns_lines_round_and_half_the_size_leaves_no_fine_ones(tiny):
    fine = trust(tiny, picture("fine"), pattern("fine")).survival
    assert fine.value == pytest.approx(0.4) and fine.grey == pytest.approx(0)
    assert fine.kept["mirror"] == pytest.approx(-1) and abs(fine.kept["half size"]) < 0.02
    coarse = trust(tiny, picture("coarse"), pattern("coarse")).survival
    assert coarse.kept["mirror"] == pytest.approx(-1) and coarse.kept["half size"] > 0.8
    assert coarse.kept["JPEG"] > 0.9


def test_what_counts_brightness_keeps_all_under_noise_and_a_mirror_but_not_under_a_grey_border(tiny):
    kept = trust(tiny, picture("brightness"), pattern("brightness")).survival.kept
    assert kept["mirror"] == pytest.approx(1, abs=1e-5) and kept["noise"] == pytest.approx(1, abs=0.02)
    assert kept["half size"] == pytest.approx(1, abs=1e-5)
    # A tilt by 0.3 moves each corner inwards by 0 to 0.15 of the side: on average (1 - 0.15)² of the area.
    assert 0.55 < kept["perspective"] < 0.95
    assert 0.6 < kept["colours"] < 1.4 and kept["colours"] != pytest.approx(1, abs=1e-4)


def test_changes_that_the_picture_was_painted_in_are_not_new_to_it(tiny):
    views = (cb.transforms.noise(0.2), cb.transforms.jitter(4))
    kept = trust(tiny, picture("coarse"), pattern("coarse"), transforms=views).survival.kept
    assert set(kept) == {"perspective", "colours", "half size", "mirror", "JPEG"}


def test_a_picture_below_grey_keeps_nothing_and_says_so(tiny):
    found = trust(tiny, picture("brightness", -0.3), pattern("brightness"))
    assert found.survival.kept == {}
    assert any(line.startswith("excites no more than plain grey: -0.3") for line in found.lines)


def test_a_seed_gives_the_same_figures(tiny):
    first, again, other = (
        trust(tiny, picture("coarse"), pattern("coarse"), seed=seed).survival.changed for seed in (3, 3, 4)
    )
    assert first == again and first != other


# photos


def plain(*shades):
    return [Image.new("RGB", (64, 64), (shade,) * 3) for shade in shades]


def test_photos_are_counted(tiny):
    shades = (10, 60, 110, 160, 210)
    among = trust(tiny, picture("brightness", 0.0), pattern("brightness"), photos=plain(*shades)).photos
    assert (among.below.hits, among.below.n) == (3, 5)  # 110 is darker than grey's 127.5
    assert among.best == pytest.approx(210 / 255 - 0.5, abs=1e-3)


@pytest.fixture(scope="module")
def measured(tiny):
    photos = [sample.image for sample in cb.samples()[9:41]]
    *counts, table = measure_quantiles(tiny, photos, "shipped photos")
    assert counts == [16, 32]
    return photos, table


def test_the_table_holds_the_quantiles_of_the_layers_own_activations(tiny, measured):
    photos, table = measured
    maps = tiny.activations(photos, "layer2").numpy()
    middle = maps.shape[-1] // 2
    for kind, values in enumerate((maps.mean(axis=(2, 3)), maps[:, :, middle, middle])):
        expected = np.quantile(values[:, 3], LEVELS)
        np.testing.assert_allclose(table.values["layer2"][kind, 3], expected, rtol=1e-4, atol=1e-5)


def test_a_value_is_placed_as_counting_would_place_it(tiny, measured, tmp_path):
    photos, table = measured
    table.save(tmp_path / "x.npz")
    table = PhotoQuantiles.load(tmp_path / "x.npz")
    values = tiny.activations(photos, "layer2")[:, 3].mean(dim=(1, 2)).numpy()
    for value in np.linspace(values.min() - 0.1, values.max() + 0.1, 7):
        below = table.place("channel", "layer2", 3, float(value)).below
        assert (
            below.n == 32 and abs(below.hits - (values < value).sum()) <= 4
        )  # levels are 25 % apart at most
    assert table.place("channel", "layer2", 3, float(values.max()) + 0.1).below.hits == 32
    assert table.place("channel", "layer2", 3, float(values.min()) - 0.1).below.hits == 0


def test_the_shipped_tables_are_those_of_the_shipped_weights(mini, control):
    """Where this fails, they are due to be made anew, by scripts/make_photo_quantiles.py."""
    photos = [sample.image for sample in cb.samples()[20:32]]
    for model in (mini, control):
        table = shipped_quantiles(model)
        assert table is not None and table.provenance.n >= 50
        most = table.values["conv_head"][0, :, -1]
        best = model.activations(photos, "conv_head").mean(dim=(2, 3)).max(dim=0).values.numpy()
        assert (most >= best - 0.01 * np.abs(best)).mean() > 0.8  # a dozen photos seldom beat so many
        unit = cb.objectives.channel("conv_head", 5)
        assert trust(model, torch.full((3, 64, 64), 0.5), unit).photos.best == most[5]


def test_without_photos_an_unknown_model_or_objective_has_no_such_line(tiny, mini):
    assert trust(tiny, picture("coarse"), cb.objectives.channel("layer2", 3)).photos is None
    assert trust(mini, torch.rand(3, 64, 64), 2 * cb.objectives.channel("conv_head", 3)).photos is None


# a second network


def test_the_second_network_ranks_the_label_that_was_asked_for(tiny):
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(4))
    found = trust(tiny, image, cb.objectives.label("class 3"), second=tiny).second
    logits = tiny.read(image[None], [Read("logits")])[Read("logits")].flatten()
    assert (found.label, found.asked, found.classes) == ("class 3", True, 5)
    assert found.place == 1 + int((logits > logits[3]).sum())
    assert found.share == pytest.approx(float(logits.softmax(0)[3]), abs=0.01)  # a photo has 256 levels


def test_for_a_unit_it_ranks_what_the_model_sees_which_is_the_first_if_both_are_one(tiny):
    found = trust(tiny, picture("coarse"), cb.objectives.channel("layer2", 3), second=tiny).second
    assert (found.asked, found.place) == (False, 1)


# facets


def facet(channels=32):
    weights = torch.randn(channels, generator=torch.Generator().manual_seed(1))
    return Facet("theme", {"layer1": weights})


def test_the_share_of_a_facet_grows_with_its_strength_as_its_term_does(tiny):
    channels = tiny.layer("layer1").channels
    base, probe = cb.objectives.channel("layer3", 3), facet(channels)
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2))

    def share(strength):
        return trust(tiny, image, cb.objectives.faceted(base, probe, strength)).facet

    assert share(0.0) == pytest.approx(0, abs=1e-5) and 0 < share(1.0) < 1
    odds = [share(strength) / (1 - share(strength)) for strength in (1.0, 3.0)]
    assert odds[1] == pytest.approx(3 * odds[0], rel=1e-2)
    assert trust(tiny, image, base).facet is None


def test_a_shuffled_facet_has_the_same_weights_on_other_channels():
    probe = facet()
    other = shuffled(probe, 0)
    assert other != probe and sorted(other.weights["layer1"].tolist()) == sorted(
        probe.weights["layer1"].tolist()
    )
    assert shuffled(probe, 0) == other != shuffled(probe, 1)


# seeds and controls


def paint(goal, seed):
    """Two steps: grey, and a picture that is brighter with every seed."""
    for number in range(2):
        shade = 0.5 + 0.1 * seed * number
        yield Step(number, torch.zeros(1), torch.full((1, 3, 64, 64), shade))


def test_seeds_and_controls_are_painted_and_measured_alike(tiny):
    objective = cb.objectives.channel("layer2", 3)
    stream = trust_controls(tiny, objective, paint, photos=plain(0, 255), seeds=3, seed=1)
    *under_way, last = stream
    assert [each.done for each in under_way] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert all(each.total == 6 and each.result is None for each in under_way) and last.done == 6
    report = last.result
    assert set(report.controls) == {"random direction", "best photo"}
    pictures = torch.stack([torch.full((3, 64, 64), 0.5 + 0.1 * seed) for seed in (1, 2, 3)])
    expected = tiny.read(pictures, [Read("layer2")])[Read("layer2")][:, 3].mean(dim=(1, 2))
    np.testing.assert_allclose(report.subject.seeds.values, expected, rtol=1e-3, atol=1e-5)
    assert 0.5 < report.subject.seeds.likeness <= 1.0001  # plain pictures resemble each other
    assert report.subject.survival.value == pytest.approx(float(expected[0]), rel=1e-4)
    plains = tiny.activations(plain(0, 255), "layer2")[:, 3].mean(dim=(1, 2))
    assert report.controls["best photo"].survival.value == pytest.approx(float(plains.max()), rel=1e-3)


def test_a_facet_has_its_shuffling_as_a_control(tiny):
    probe = facet(tiny.layer("layer1").channels)
    objective = cb.objectives.faceted(cb.objectives.channel("layer3", 3), probe, 1.0)
    *_, last = trust_controls(tiny, objective, paint, photos=plain(0, 255), seeds=2)
    assert set(last.result.controls) == {"random direction", "shuffled facet", "best photo"}
    assert "theme, shuffled" in last.result.controls["shuffled facet"].subject


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seeds": 1}, "give at least 2"),
        ({"photos": []}, "no photos to compare with"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_painted(tiny, settings, sentence):
    settings = {"photos": plain(0), **settings}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        trust_controls(tiny, cb.objectives.channel("layer2", 3), None, **settings)


def test_an_objective_of_two_layers_has_no_random_direction(tiny):
    both = cb.objectives.channel("layer2", 3) + cb.objectives.channel("layer3", 3)
    with pytest.raises(cb.ClipbenchError, match="reads 2 layers"):
        trust_controls(tiny, both, paint, photos=plain(0))


def test_a_picture_of_another_shape_is_refused(tiny):
    with pytest.raises(cb.ClipbenchError, match=r"\(3, h, w\), not \(1, 3, 8, 8\)"):
        trust(tiny, torch.zeros(1, 3, 8, 8), pattern("coarse"))


def test_every_figure_has_one_line_and_survives_json(tiny):
    *_, last = trust_controls(
        tiny, cb.objectives.channel("layer2", 3), paint, photos=plain(0, 255), second=tiny, seeds=2
    )
    subject = last.result.subject
    assert len(subject.lines) == 4 and all("\n" not in line for line in subject.lines)
    assert json.loads(json.dumps(last.result.as_dict()))["subject"]["lines"] == list(subject.lines)


def test_the_figure_has_a_bar_for_every_change_and_none_for_what_does_not_rise(tiny):
    rising = trust(tiny, picture("coarse"), pattern("coarse"))
    falling = trust(tiny, picture("coarse", -0.4), pattern("coarse"))
    drawn = cb.figures.survival(TrustReport(rising, {"random direction": falling, "best photo": rising}))
    assert [bar.name for bar in drawn.data] == ["the picture", "best photo"]
    for bar in drawn.data:
        assert dict(zip(bar.y, bar.x, strict=True)) == rising.survival.kept
