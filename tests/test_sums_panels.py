"""The panels of sums of words and of two models, without a browser, for made-up models."""

import time
from dataclasses import replace

import numpy as np
import torch
import traitlets

from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies import Multimodal
from clipbench.studies.side_by_side import Taken
from clipbench.studies.word_arithmetic import WordSpace, known_images
from widgets.same import SamePicture
from widgets.side import SideBySide
from widgets.study import EXAMPLE, EXAMPLES
from widgets.sums import Sums


class Words:
    """Embeds pictures at places that are made up, a different one for each."""

    name, weights_hash, image_size = "made up", "0" * 12, 64

    def encode_image(self, images):
        return torch.from_numpy(np.stack([np.asarray(image).mean(axis=(1, 2)) for image in images]))


class Bench(traitlets.HasTraits):
    model = traitlets.Any(None, allow_none=True)

    def loaded(self):
        return Words()


def wait(seen) -> None:
    deadline = time.monotonic() + 300
    while not seen():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_a_sum_is_there_at_once_and_one_that_means_nothing_is_told():
    panel = Sums(Bench())
    wait(lambda: panel._table.value.count("<tr>") == 1 + 10)
    assert "a few words only" in panel._few.value and "copy command" not in panel._caption.value
    before = panel._table.value
    panel._plus.line.value = ""
    assert "at least one word to add" in panel._plus.children[1].value
    panel._plus.line.value, panel._minus.line.value = "fiji, <b>", ""
    wait(lambda: panel._table.value != before)
    assert "<b>" not in panel._table.value


def test_photos_and_drawings_are_terms_once_they_have_been_looked_at():
    panel = Sums(Bench())
    panel._plus.line.value = "king, photo:cst"
    assert "did you mean" in panel._plus.children[1].value and "photo:cat" in panel._plus.children[1].value
    panel._plus.line.value, panel._minus.line.value = "king, photo:cat", ""
    wait(lambda: "has not been looked at yet" in panel._message.value)
    terms = ("king", "queen", "man", *known_images())
    places = np.random.default_rng(0).normal(size=(len(terms), 9))
    space = WordSpace(terms, places, Provenance("made up", "0" * 12, "made up", n=len(terms)))
    panel._take(Progress(1, 1, space))
    wait(lambda: len(panel._strip.children) == 8)
    wait(lambda: "--plus=king,photo:cat" in panel._caption.value)
    assert panel._message.value == panel._few.value == ""
    panel._add(0)
    assert panel._plus.line.value.count(":") == 2 and "not" not in panel._plus.children[1].value
    panel._plus.line.value = "苹果"
    wait(lambda: "苹果&#x27; has not been looked at yet" in panel._message.value)
    panel._forget()
    wait(lambda: "cannot draw &#x27;苹果" in panel._message.value)


def test_two_models_are_beside_each_other_at_once():
    panel = SideBySide(Bench())
    assert panel._units.value.count("<tr>") == panel._things.value.count("<tr>") == 1 + 10
    assert "have a partner in timm/tf_efficientnet_lite0 beyond chance" in panel._told.children[0].value
    assert (
        "clipbench side-by-side timm/tf_efficientnet_lite0 --model mini" in panel._captions.children[-1].value
    )


def test_the_same_picture_is_told_of_each_model():
    panel = SamePicture(lambda: lambda: [])
    panel._text.line.value = ""
    assert "there is no word" in panel._text.children[1].value and panel._work() is None
    panel._text.line.value, panel._photo.value = "苹果", "cat"
    assert "cannot draw" in panel._text.children[1].value and panel._work() is None
    panel._text.line.value = "iPod"
    assert panel._work() is not None
    answers = (("<i>", 0.5), ("tabby", 0.25), ("iPod", 1.0))
    told = [Taken(answers, Provenance(name, f"{name}0123456789ab", "made up")) for name in ("mini", "b")]
    panel._take(Progress(2, 2, tuple(told)))
    assert panel._table.value.count("<img") == 3 and "tabby 25%" in panel._table.value
    assert "<i>" not in panel._table.value
    *sources, how = (caption.value for caption in panel._captions.children)
    assert "side-by-side b --model mini --image" in how and "--text iPod" in how
    assert ["mini mini0123" in sources[0], "b b0123456" in sources[1]] == [True, True]


def test_four_models_take_a_column_each_and_a_fifth_is_refused():
    panel = SideBySide(Bench())
    one = Multimodal.load(EXAMPLE / EXAMPLES["mini"])
    names = ("mini", "b", "<i>", "mini/random")
    told = [
        replace(one.provenance, model=name, weights_hash=f"{place}23456789abc")
        for place, name in enumerate(names)
    ]
    results = [replace(one, provenance=source) for source in told]
    panel._take(Progress(1, 1, tuple(results)))
    assert "<i>" not in panel._units.value and panel._things.value.count("<th>") == 1 + 4
    assert len(panel._told.children) == 3
    captions = [caption.value for caption in panel._captions.children]
    assert "side-by-side b &#x27;&lt;i&gt;&#x27; mini/random --model mini" in captions[-1]
    assert len(captions) == 4 + 1 and all(
        result.provenance.weights_hash[:8] in caption
        for result, caption in zip(results, captions, strict=False)
    )
    for text in ("", "a, b, c, d", "a,,b"):
        panel._others.line.value = text
        assert "write one to 3 models" in panel._others.children[1].value and panel._work() is None
