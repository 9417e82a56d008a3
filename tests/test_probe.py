"""Linear probes, against conditions that only the right solution meets."""

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.attacks import AttackResult
from clipbench.classify import as_classifier
from clipbench.classify.probe import SHIPPED
from clipbench.classify.training import ridge, split

WIDE = 8


class Stub:
    """As much of a model as a probe looks at."""

    name, weights_hash, device = "stub", "0123456789ab", torch.device("cpu")

    def layer(self, name):
        return type("Layer", (), {"channels": WIDE})


@pytest.fixture
def stub():
    return Stub()


def blobs(n, classes, noise, seed=0):
    """Features of length √d about one axis a class, and their labels."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(n) % classes
    points = np.eye(WIDE)[numbers] + noise * rng.normal(size=(n, WIDE))
    points *= WIDE**0.5 / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), [f"class {number}" for number in numbers]


def answers(probe, features):
    return probe.logits(torch.from_numpy(features)).softmax(dim=1).numpy().astype(float)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_gradient_of_the_penalised_likelihood_is_zero(stub, classes):
    """At the minimum of C · Σ −log p + |w|²/2 each weight is C · Σ (y − p) x, and Σ (y − p) = 0."""
    features, truths = blobs(60, classes, noise=0.8)
    probe = cb.train_probe(stub, features, truths)
    c = float(probe.provenance.recipe.partition("C = ")[2].split()[0])
    train, *_ = split(np.array(truths), 0)
    x, y = features[train], np.array([probe.labels.index(truths[place]) for place in train])
    left = np.eye(classes)[y] - answers(probe, x)
    weights = probe.weights.numpy()
    if classes == 2:  # scikit-learn's one row is the difference, and only its penalty counts
        weights, left = weights[1:], left[:, 1:]
    assert np.abs(c * left.T @ x - weights).max() < 3e-4 * c * len(train)  # three times its tolerance
    assert np.abs(left.sum(axis=0)).max() < 0.02


def test_held_out_accuracy_is_on_images_that_nothing_was_chosen_by(stub):
    features, truths = blobs(100, 4, noise=0.3)
    probe = cb.train_probe(stub, features, truths, seed=3)
    *_, test = split(np.array(truths), 3)
    right = [probe.labels[answer] == truths[place] for answer, place in
             zip(answers(probe, features[test]).argmax(axis=1), test, strict=True)]  # fmt: skip
    assert (probe.held_out.hits, probe.held_out.n) == (sum(right), 20)
    assert probe.held_out.share > 0.6
    assert probe.provenance.n == 60 and probe.provenance.seed == 3


def test_without_a_relation_there_is_no_accuracy(stub):
    features, truths = blobs(200, 4, noise=0.5)
    shuffled = np.random.default_rng(1).permutation(truths).tolist()
    assert cb.train_probe(stub, features, shuffled).held_out.interval[0] < 0.25 + 0.1


def test_the_parts_are_three_one_and_one_fifth_of_each_class():
    truths = np.array(["a"] * 10 + ["b"] * 27)
    parts = split(truths, 0)
    assert sorted(np.concatenate(parts)) == list(range(37))
    assert [[(truths[part] == kind).sum() for kind in "ab"] for part in parts] == [[6, 17], [2, 5], [2, 5]]
    assert not np.array_equal(parts[0], split(truths, 1)[0])


def test_what_is_marked_is_held_out_first_and_chosen_by_next():
    truths, first = np.array(["a"] * 10 + ["b"] * 10), np.arange(20) % 10 >= 7  # three of each kind
    train, validation, test = split(truths, 0, first)
    assert first[test].all() and len(test) == 4
    assert first[validation].sum() == 2 and not first[train].any()
    assert sorted(np.concatenate([train, validation, test])) == list(range(20))


def test_a_probe_holds_out_what_is_marked(stub):
    features, truths = blobs(100, 4, noise=0.3)
    marked = np.arange(100) >= 80  # a fifth of each class
    probe = cb.train_probe(stub, features, truths, first=marked)
    right = [probe.labels[answer] == truth for answer, truth in
             zip(answers(probe, features[80:]).argmax(axis=1), truths[80:], strict=True)]  # fmt: skip
    assert (probe.held_out.hits, probe.held_out.n) == (sum(right), 20)


def test_the_sparse_one_uses_the_coordinates_that_tell_and_no_others(stub):
    """Of eight coordinates three carry the classes."""
    features, truths = blobs(90, 3, noise=0.1)
    probe = cb.train_probe(stub, features, truths, sparse=True)
    used = [probe.coordinates(label) for label in probe.labels]
    assert probe.held_out.share == 1 and {place for own in used for place, _ in own} <= {0, 1, 2}
    assert (
        max(len(own) for own in used)
        < WIDE
        == len(cb.train_probe(stub, features, truths).coordinates("class 0"))
    )


def test_a_class_with_too_few_images_has_no_data_and_no_number(stub):
    features, truths = blobs(30, 3, noise=0.2)
    probe = cb.train_probe(stub, features, ["rare" if place < 3 else one for place, one in enumerate(truths)])
    assert probe.labels == ("class 0", "class 1", "class 2") and probe.no_data == ("rare",)
    with pytest.raises(cb.ClipbenchError, match="no data for 'rare'"):
        probe.place("rare")
    with pytest.raises(cb.ClipbenchError, match="did you mean 'class 1'"):
        probe.place("clas 1")


def test_a_saved_probe_is_the_same_and_refuses_other_weights(stub, tmp_path):
    features, truths = blobs(30, 3, noise=0.2)
    probe = cb.train_probe(stub, features, truths)
    path = probe.save(tmp_path / "x.npz")
    again = cb.load_probe(path, stub)
    assert np.array_equal(answers(again, features), answers(probe, features))
    for name in ("labels", "kind", "held_out", "no_data", "provenance", "recipe"):
        assert getattr(again, name) == getattr(probe, name)
    other = Stub()
    other.weights_hash = "ba9876543210"
    with pytest.raises(cb.ClipbenchError, match="0123456789ab, not on stub with weights ba9876543210"):
        cb.load_probe(path, other)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_for_mini_is_loaded_by_name_and_by_no_other_weights(mini, stub, name):
    if not SHIPPED[name].is_file():
        pytest.skip(f"{name} is not made for these weights yet; scripts/make_probes.py makes it")
    probe = cb.load_probe(name, mini)
    photos = [one for one in cb.samples() if one.truth in probe.labels]
    result = cb.attack(probe, [one.image for one in photos], target=photos[0].truth, text="o")
    assert result.labels == probe.labels and probe.provenance.n > 1000
    assert probe.held_out.interval[0] > 10 / len(probe.labels)  # ten times chance at least
    assert ("ridge readout of the logits of timm/tf_efficientnet_lite0" in probe.kind) == (name == "readout")
    with pytest.raises(cb.ClipbenchError, match="was trained on mini with weights"):
        cb.load_probe(name, stub)


def test_files_that_are_no_probe(stub, tmp_path):
    features, truths = blobs(30, 3, noise=0.2)
    with pytest.raises(cb.ClipbenchError, match="must end in .npz"):
        cb.train_probe(stub, features, truths).save(tmp_path / "x.pkl")
    with pytest.raises(cb.ClipbenchError, match="there is no probe .*; `Probe.save` writes one"):
        cb.load_probe(tmp_path / "x.npz", stub)
    for content in (b"", b"PK\x03\x04 cut off", b"{}"):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(cb.ClipbenchError, match="is not a probe"):
            cb.load_probe(tmp_path / "x.npz", stub)


@pytest.mark.parametrize(
    ("features", "truths", "sentence"),
    [
        (np.zeros((4, 3)), ["a"] * 4, r"have the shape \(4, 8\), not \(4, 3\)"),
        (np.zeros((4, WIDE)), ["a"] * 5, r"have the shape \(5, 8\), not \(4, 8\)"),
        (np.zeros((9, WIDE)), ["a"] * 5 + ["b"] * 4, "at least two classes with 5 images"),
    ],
)
def test_features_that_make_no_probe(stub, features, truths, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.train_probe(stub, features, truths)


def test_ridge_is_at_the_minimum():
    """The derivative by each weight is zero: Xᵀ (XW + b − Y) + λ n W = 0, and the residuals sum to zero."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)) + 1, rng.normal(size=(40, 3))
    weights, bias = ridge(x, y, 0.3)
    left = x @ weights + bias - y
    assert np.abs(x.T @ left + 0.3 * 40 * weights).max() < 1e-9
    assert np.abs(left.sum(axis=0)).max() < 1e-9


def test_a_readout_gets_back_a_control_that_the_features_tell(control):
    """Where the model is the control itself, logits are linear in features of one length."""
    rng = np.random.default_rng(0)
    theirs = rng.normal(size=(60, 1280)).astype(np.float32)
    theirs *= 1280**0.5 / np.linalg.norm(theirs, axis=1, keepdims=True)
    theirs[:] = theirs[:6][np.arange(60) % 6] + 0.001 * theirs  # six kinds of pictures
    features = theirs * (1280**0.5 / np.linalg.norm(theirs, axis=1, keepdims=True))
    readout = cb.fit_readout(control, features, control, theirs)
    assert (readout.held_out.hits, readout.held_out.n) == (12, 12)
    assert readout.kind == f"ridge readout of the logits of {control.name} {control.weights_hash}"
    wanted = as_classifier(control).logits(torch.from_numpy(theirs)).detach()
    assert readout.labels[42] == control.classes[42] and wanted.shape[1] == len(readout.labels)
    assert (readout.logits(torch.from_numpy(features)) - wanted).abs().mean() < 0.1 * wanted.std()


def test_an_attack_takes_a_probe(control, tmp_path):
    photos = [one.image for one in cb.samples()[:10]]
    features = cb.embed(control, photos)
    assert features.shape == (10, 1280) and np.linalg.norm(features, axis=1) == pytest.approx(1280**0.5)
    probe = cb.train_probe(control, features, ["apple", "mug"] * 5)
    result = cb.attack(probe, photos[:2], target="mug", text="mug")
    assert result.labels == ("apple", "mug")
    expected = answers(probe, features[:2])
    assert result.target_before == pytest.approx(expected[:, 1], abs=1e-3)
    assert AttackResult.load(result.save(tmp_path / "x.npz")).success == result.success
