"""What mini shows, it shows because of its weights: with random ones every phenomenon is gone.

The same code runs on both models; nothing below knows which one it has before the last line of a test.
"""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import clipbench as cb
from clipbench.stimuli.lettering import load_font

WORDS = [
    "apple", "bottle", "camera", "dog", "elephant", "flower", "guitar", "hammer", "island", "jacket",
    "kitchen", "lemon", "mountain", "needle", "orange", "pizza", "queen", "river", "spider", "tiger",
]  # fmt: skip
CHANCE = 1 / len(WORDS)
ATTACKS = ["pizza", "radio", "library", "spider"]


@pytest.fixture(scope="module", params=["mini", "mini/random"])
def model(request):
    return cb.load(request.param, device="cpu")


def written(word):
    """A word in black on white, as the article rastered its words."""
    page = Image.new("RGB", (224, 224), "white")
    font = load_font("DejaVu Sans", 50)
    ImageDraw.Draw(page).text((112, 112), word, fill="black", font=font, anchor="mm")
    return page


def photos():
    return [sample for sample in cb.samples() if sample.kind in ("thing", "animal")]


def test_reading(model):
    """Top-1 of rastered words among twenty."""
    probabilities = cb.zero_shot(model, [written(word) for word in WORDS], WORDS, "the word {}")
    right = (probabilities.argmax(dim=1).numpy() == np.arange(len(WORDS))).mean()
    if model.name == "mini":
        assert right > 0.6
    else:
        assert right < 4 * CHANCE


def test_seeing(model):
    """Top-1 of photos of things and animals among their names."""
    chosen = photos()
    names = list(dict.fromkeys(sample.truth for sample in chosen))
    answers = cb.zero_shot(model, [sample.image for sample in chosen], names).argmax(dim=1)
    right = np.mean([names[answer] == sample.truth for answer, sample in zip(answers, chosen, strict=True)])
    if model.name == "mini":
        assert right > 0.5
    else:
        assert right < 0.15


def test_a_label_on_paper_wins_over_the_photo_under_it(model):
    """Flips to the written word among the photo's own name and the attack words; and not to another word."""
    chosen = photos()[:16]
    to_the_word, elsewhere = 0, 0
    for text in ATTACKS:
        labelled = [cb.paper(sample.image, text, width=0.9, height=0.55) for sample in chosen]
        for sample, before, after in zip(chosen, [s.image for s in chosen], labelled, strict=True):
            labels = [sample.truth, *ATTACKS]
            first, second = cb.zero_shot(model, [before, after], labels).argmax(dim=1).tolist()
            to_the_word += labels[first] != text and labels[second] == text
            elsewhere += first != second and labels[second] != text
    total = len(chosen) * len(ATTACKS)
    if model.name == "mini":
        assert to_the_word / total > 0.4 and to_the_word > 2 * elsewhere
    else:
        assert to_the_word / total < 0.15


def test_a_text_can_be_drawn_out_of_the_model(model):
    """A picture optimised for a text is recognised by other words for it."""
    canvas = cb.parametrizations.fft(128)
    *_, step = cb.visualize(
        model, cb.objectives.text("a photo of a spider"), parametrization=canvas, steps=48
    )
    picture = Image.fromarray((step.images[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8))
    probabilities = cb.zero_shot(model, [picture], ["spider web", *WORDS[:10]], "a drawing of a {}")
    if model.name == "mini":
        assert probabilities[0].argmax() == 0
    else:
        assert probabilities[0, 0] < 0.5
