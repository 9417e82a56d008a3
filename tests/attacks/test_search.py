"""The search for texts, with a reader that can be worked out by hand."""

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.attacks import METHODS, SearchResult, reading, search, text_search
from clipbench.attacks.attribution import logits_from, values_at
from clipbench.attacks.search_result import Found
from clipbench.attacks.text_search import edited
from clipbench.attacks.trials import Trials, untaken
from clipbench.classify import as_classifier
from clipbench.intervals import Rate
from clipbench.stimuli import ARTICLE, Tag
from clipbench.streams import result_of

# White paper over the whole picture: how bright a grey picture becomes depends on the ink of the text alone.
SHEET = Tag(width=1, height=1, paper_colour="white", colour="black")
LABELS = ["apple", "iPod", "mug"]
WORDS = ["i", "lit", "mmmm", "WWWW", "MMMMMM", "iii", "W"]


@pytest.fixture(autouse=True)
def few_edits(monkeypatch):
    monkeypatch.setattr(text_search, "_TRIED", 4)
    monkeypatch.setattr(text_search, "_STEPS", 2)


@pytest.fixture
def photos(plain):
    return [plain(grey) for grey in (0, 5, 10, 15, 20, 25, 30, 35)]


def darkness(bright, words):
    """How dark the sheet becomes, by the very picture: the least probability of "bright" first."""
    pictures = [cb.paper(bright.model.crop(cb.samples()[0].image), word, SHEET) for word in words]
    return bright.model.pixels(pictures).mean(dim=(1, 2, 3)).numpy()


def test_brute_force_finds_the_text_that_is_truly_best(bright, photos, tmp_path):
    result = cb.attack_search(
        bright, photos, target="grey", vocabulary=WORDS, methods=["brute force"], recipe=SHEET
    )
    brightness = dict(zip([*WORDS, "grey"], darkness(bright, [*WORDS, "grey"]), strict=True))
    chances = [found.success.share for found in result.found]
    assert chances == sorted(chances, reverse=True)
    expected = min(brightness, key=lambda word: abs(brightness[word] - 0.5))
    assert result.found[0].text == expected
    assert {found.text for found in result.found} == {*WORDS, "grey"}
    assert result.own.text == "grey" and result.own.methods == ("own name",)
    assert SearchResult.load(result.save(tmp_path / "x.json")) == result


def test_the_passes_are_the_pictures_that_were_encoded(bright, photos, monkeypatch):
    encoded = []
    plain_answers = type(bright).probabilities

    def counting(self, pixels):
        encoded.append(len(pixels))
        return plain_answers(self, pixels)

    monkeypatch.setattr(type(bright), "probabilities", counting)
    words = [f"{one}{two}" for one in "abcdefgh" for two in "abcdefgh"]  # 64
    steps = list(search(bright, photos, "grey", words, ["brute force"], SHEET))
    # 64 words on 2 photos; the better 32 on 2 more, which are all 4 that are searched on
    assert steps[-1].result.passes == {"brute force": 64 * 2 + 32 * 2}
    found = {step.passes for step in steps if step.method == "brute force"}
    assert sorted(found) == list(range(0, 193, 16))  # a batch at a time
    final = 4 + (10 + 1) * 4  # of the ten kept and the own name: the latter on all 8, the others on 4 unseen
    assert sum(encoded) == 8 + 192 + final


def test_the_figures_to_rank_by_are_of_photos_that_no_search_has_seen(bright, photos):
    result = cb.attack_search(
        bright, photos, target="grey", vocabulary=WORDS, methods=["brute force"], recipe=SHEET
    )
    for found in result.found:
        for rate, own in ((found.searched, photos[::2]), (found.success, photos[1::2])):
            alone = cb.attack(bright, own, target="grey", text=found.text, recipe=SHEET)
            assert rate == alone.success
    assert result.provenance.n == 4


def test_a_text_is_better_beyond_luck_only_if_the_photos_say_so(bright, photos):
    result = cb.attack_search(
        bright, photos, target="grey", vocabulary=WORDS, methods=["brute force"], recipe=SHEET
    )
    own = cb.attack(bright, photos[1::2], target="grey", text="grey", recipe=SHEET)
    for found in result.found:
        alone = cb.attack(bright, photos[1::2], target="grey", text=found.text, recipe=SHEET)
        pairs = list(zip(alone.outcomes, own.outcomes, strict=True))
        won = ("changed to", "neither")
        assert (found.gained, found.lost) == (pairs.count(won), pairs.count(won[::-1]))
        assert found.success.hits - result.own.success.hits == found.gained - found.lost
    assert result.surely_better == ()  # four photos are too few for that, whatever they say
    (best,) = result.best_of.values()
    assert best == next(found for found in result.found if found.methods == ("brute force",))


@pytest.mark.parametrize(
    ("gained", "lost", "luck"), [(0, 0, 1), (3, 1, 5 / 16), (10, 0, 1 / 1024), (2, 9, 1 - 12 / 2048)]
)
def test_luck_is_how_often_fair_coins_do_as_well(gained, lost, luck):
    found = Found("x", Rate(1, 20), Rate(1, 20), gained, lost, ("edits",))
    assert found.luck == pytest.approx(luck)


def test_many_texts_need_more_photos_to_be_surely_better():
    def result(others, gained):
        rates = (Rate(10 + gained, 40), Rate(1, 1))
        own = Found("own", Rate(10, 40), Rate(1, 1), 0, 0, ("own name",))
        found = [Found(f"text {n}", *rates, gained, 0, ("edits",)) for n in range(others)]
        return SearchResult("own", (*found, own), {"edits": 1}, 0, (), cb.Provenance("stub", "0", "by hand"))

    assert len(result(1, 5).surely_better) == 1  # 1 in 32
    assert len(result(2, 5).surely_better) == 0  # 1 in 16
    assert len(result(2, 6).surely_better) == 2


def test_edits_are_all_texts_one_letter_away():
    found = edited("ab")
    assert len(found) == len(set(found)) and "ab" not in found
    assert {"a", "b", "bb", "aa", "az", "abz", "zab", "azb"} <= set(found)
    by_hand = {"a", "b"} | {f"{one}b" for one in "bcdefghijklmnopqrstuvwxyz"}
    by_hand |= {f"a{one}" for one in "acdefghijklmnopqrstuvwxyz"}
    letters = "abcdefghijklmnopqrstuvwxyz"
    by_hand |= {text for one in letters for text in (f"{one}ab", f"a{one}b", f"ab{one}")}
    assert set(found) == by_hand
    assert "" not in edited("a")


def test_one_step_of_edits_finds_what_brute_force_over_all_of_them_finds(bright, plain, monkeypatch):
    monkeypatch.setattr(text_search, "_TRIED", 10_000)
    monkeypatch.setattr(text_search, "_STEPS", 1)
    vocabulary = ["grey", *edited("grey")]
    result = cb.attack_search(
        bright,
        [plain(0)] * 4,
        target="grey",
        vocabulary=vocabulary,
        methods=["edits", "brute force"],
        recipe=SHEET,
    )
    by_edits, by_force = (result.best_of[method] for method in ("edits", "brute force"))
    assert by_edits == by_force
    assert result.passes == dict.fromkeys(("edits", "brute force"), len(vocabulary) * 2)


def test_an_edit_is_kept_only_if_it_helps(bright, photos):
    steps = list(search(bright, photos, "grey", WORDS, ["edits"], SHEET, seed=1))
    result = steps[-1].result
    assert max(found.searched.share for found in result.found) >= result.own.searched.share
    again = list(search(bright, photos, "grey", WORDS, ["edits"], SHEET, seed=1))[-1].result
    assert [found.text for found in again.found] == [found.text for found in result.found]


def test_a_search_that_is_stopped_has_what_it_found_and_encodes_no_more(bright, photos, monkeypatch):
    encoded, plain_answers = [], type(bright).probabilities

    def counting(self, pixels):
        encoded.append(len(pixels))
        return plain_answers(self, pixels)

    monkeypatch.setattr(type(bright), "probabilities", counting)
    for step in search(bright, photos, "grey", WORDS, ["edits", "brute force"], SHEET):
        if step.method == "brute force" and step.passes:
            break
    assert step.result is None and sum(encoded[-1:]) <= 16  # nothing is encoded between two results but this
    hits = [rate.hits for _, rate in step.leading]
    assert hits == sorted(hits, reverse=True) and set(WORDS) & {text for text, _ in step.leading}
    for text, rate in step.leading:
        own = photos[::2][: rate.n]
        assert rate == cb.attack(bright, own, target="grey", text=text, recipe=SHEET).success


def others(model, photos):
    """Of three labels the one that the fewest of some photos are taken for."""
    answers = cb.zero_shot(model, photos, LABELS).argmax(dim=1)
    return LABELS[int(np.argmin(np.bincount(answers, minlength=3)))]


def test_units_rank_words_by_what_they_would_do_to_the_target(chaos, monkeypatch):
    """If all units are asked, a word that ranks higher moves the layer to where the target is likelier."""
    monkeypatch.setattr(reading, "_UNITS", 1280)
    photos = [one.image for one in cb.samples()[:4]]
    classifier, target = as_classifier(chaos, LABELS), others(chaos, photos)
    left = [crop for good, _ in untaken(classifier, photos, target) for crop in good]
    trials = Trials(classifier, left, target, ARTICLE)
    words, before = ["apple", "dog", "library", "spider"], trials.passes
    order = result_of(reading.guided(trials, words, range(len(trials.photos))))
    assert trials.passes - before == 2 * len(trials.photos) + 1 + len(words)
    pixels, layer = chaos.pixels(trials.photos), chaos.last_layer
    clean = values_at(classifier, pixels, layer)
    pages = [cb.written(word, side=chaos.image_size) for word in (order[0], order[-1])]
    best, worst = chaos.activations(pages, layer).mean(dim=(2, 3))[:, :, None, None]

    def score(step):
        with torch.no_grad():
            logits = logits_from(classifier, pixels, layer, clean + step * (best - worst))
        return logits.double().log_softmax(dim=1)[:, LABELS.index(target)].mean()

    assert sorted(order) == words and score(0.1) > score(-0.1)


def test_every_method_comes_to_its_end_on_a_real_model(chaos):
    photos = [one.image for one in cb.samples()[:5]]
    target = others(chaos, photos)
    result = cb.attack_search(chaos, photos, target=target, vocabulary=["dog", "$$$"], labels=LABELS)
    assert tuple(result.passes) == tuple(METHODS) and all(result.passes.values())
    assert {"dog", "$$$", target} <= {found.text for found in result.found}


def test_photos_that_cannot_be_read_are_listed_and_do_not_stop_the_others(bright, photos, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    options = {"target": "grey", "vocabulary": WORDS, "methods": ["brute force"], "recipe": SHEET}
    result = cb.attack_search(bright, [*photos[:3], tmp_path / "broken.png", *photos[3:]], **options)
    ((name, reason),) = result.unread
    assert name == str(tmp_path / "broken.png") and "broken.png" in reason
    assert result.found == cb.attack_search(bright, photos, **options).found
    with pytest.raises(cb.ClipbenchError, match=r"broken\.png"):
        cb.attack_search(bright, [tmp_path / "broken.png"], **options)


def test_texts_that_cannot_be_written_are_counted(bright, photos):
    result = cb.attack_search(
        bright,
        photos,
        target="grey",
        vocabulary=["o", "苹果", " ", "o"],
        methods=["brute force"],
        recipe=SHEET,
    )
    assert result.skipped == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"methods": ["brute"]}, "unknown search 'brute'; did you mean 'brute force'"),
        ({"methods": []}, "there is no search; choose from"),
        ({"vocabulary": ["苹果"]}, "no text in the vocabulary that can be written"),
        ({"target": "gray"}, "did you mean 'grey'"),
        ({"target": "dark"}, "every photo is taken for 'dark' as it is"),
    ],
)
def test_bad_input(bright, photos, change, sentence, tmp_path):
    arguments = {"target": "grey", "vocabulary": WORDS, "recipe": SHEET, **change}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.attack_search(bright, photos, **arguments)
    with pytest.raises(cb.ClipbenchError, match="a search needs 4 photos or more .* there are 3$"):
        cb.attack_search(bright, photos[:3], target="grey", recipe=SHEET)
    broken = tmp_path / "x.png"
    broken.touch()
    with pytest.raises(cb.ClipbenchError, match="there are 2, and 1 that cannot be read$"):
        cb.attack_search(bright, [*photos[:2], broken], target="grey", recipe=SHEET)
