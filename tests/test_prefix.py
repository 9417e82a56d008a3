"""Learned tokens before labels: where they are a word's own tokens, they are that word."""

import pytest
import torch

import clipbench as cb
from clipbench.classify import as_classifier, defence_prefix

LABELS = ["apple", "mug"]


def table(model):
    """What the text tower looks its tokens up in."""
    return getattr(model.network, "text", model.network).token_embedding


def written_as_tokens(model, word, path):
    """A file with a word's own tokens, as one would have learned them."""
    numbers = model._tokenize([word])[0]
    longer = model._tokenize([f"{word} {word}"])[0]
    (count,) = {int((longer != 0).sum() - (numbers != 0).sum())}  # without what begins and ends a text
    torch.save(table(model).weight[numbers[1 : 1 + count]].detach().clone(), path)
    return path


@pytest.mark.parametrize("name", ["mini/random", "RN50-quickgelu/random"])
def test_tokens_of_a_word_are_that_word(name, tmp_path):
    """In a tower of its own and in one that is a part of the CLIP."""
    model = cb.load(name, device="cpu")
    prefixed = defence_prefix(model, written_as_tokens(model, "red", tmp_path / "x.pt"), LABELS)
    spelled = as_classifier(model, [f"red {label}" for label in LABELS])
    torch.testing.assert_close(prefixed.weights, spelled.weights, rtol=1e-4, atol=1e-5)
    assert prefixed.labels == tuple(LABELS)
    assert not torch.allclose(prefixed.weights, as_classifier(model, LABELS).weights, atol=1e-3)
    assert "x.pt" in prefixed.recipe and "over 2 labels" in prefixed.recipe


@pytest.fixture(scope="module")
def chaos():
    return cb.load("mini/random", device="cpu")


def test_nothing_of_it_stays_with_the_model(chaos, tmp_path):
    before = chaos.encode_text(["a photo of a * apple"]).clone()
    torch.save(torch.ones(1, table(chaos).embedding_dim), tmp_path / "x.pt")
    defence_prefix(chaos, tmp_path / "x.pt", LABELS)
    chaos._texts.clear()
    torch.testing.assert_close(chaos.encode_text(["a photo of a * apple"]), before)


def test_the_harness_takes_it(chaos, tmp_path):
    torch.save(torch.ones(2, table(chaos).embedding_dim).half().requires_grad_(), tmp_path / "x.pt")
    prefixed = defence_prefix(chaos, tmp_path / "x.pt", LABELS, "the {}")
    result = cb.attack(prefixed, [cb.samples()[0].image], target="mug", text="mug")
    assert result.labels == tuple(LABELS) and "2 learned tokens" in result.provenance.recipe


def test_bad_input(chaos, control, tmp_path):
    wide = table(chaos).embedding_dim
    (tmp_path / "text.pt").write_text("no tensor")
    torch.save({"a": 1}, tmp_path / "dict.pt")
    torch.save(torch.ones(1, wide + 1), tmp_path / "wide.pt")
    torch.save(torch.ones(1, wide), tmp_path / "good.pt")
    for model, file, labels, sentence in (
        (chaos, "none.pt", LABELS, "there is no file"),
        (chaos, "text.pt", LABELS, "holds no tensor"),
        (chaos, "dict.pt", LABELS, "holds no learned tokens"),
        (chaos, "wide.pt", LABELS, f"have the shape \\(tokens, {wide}\\), not \\(1, {wide + 1}\\)"),
        (chaos, "good.pt", ["a * b"], "each text needs 1 times '\\*'"),
        (chaos, "good.pt", [], "there are no labels"),
        (control, "good.pt", LABELS, "has no text tower"),
    ):
        with pytest.raises(cb.ClipbenchError, match=sentence):
            defence_prefix(model, tmp_path / file, labels)
