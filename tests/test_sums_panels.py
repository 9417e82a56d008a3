"""The panels of sums of words and of two models, without a browser, for made-up models."""

import time

import numpy as np
import torch
import traitlets

from widgets.side import SideBySide
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
    assert "--plus=king,woman --minus=man" in panel._caption.value
    before = panel._table.value
    panel._plus.line.value = ""
    assert "at least one word to add" in panel._plus.children[1].value
    panel._plus.line.value, panel._minus.line.value = "fiji, <b>", ""
    wait(lambda: "--plus=fiji" in panel._caption.value)
    assert panel._table.value != before and "<b>" not in panel._table.value


def test_two_models_are_beside_each_other_at_once():
    panel = SideBySide(Bench())
    assert panel._pairs.value.count("<tr>") == panel._things.value.count("<tr>") == 1 + 10
    assert "have a partner beyond chance" in panel._told.value
    assert "clipbench side-by-side timm/tf_efficientnet_lite0 --model mini" in panel._caption.value
