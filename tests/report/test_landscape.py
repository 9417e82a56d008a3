"""Units that answer alike lie together, by whichever method."""

import numpy as np
import pytest

from clipbench.report import landscape as module
from clipbench.report.landscape import landscape


@pytest.fixture
def answers() -> np.ndarray:
    """Three families of twelve units, each family with a pattern of its own over 40 photos."""
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(40, 3))
    return np.repeat(patterns, 12, axis=1) * rng.uniform(1, 9, 36) + 0.1 * rng.normal(size=(40, 36))


def test_families_lie_together(answers, monkeypatch):
    monkeypatch.setattr(module, "import_module", _absent)
    places, told = landscape(answers)
    assert places.shape == (36, 2) and places.min() == 0 and places.max() == 1
    assert told.startswith("t-SNE")
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    family = np.arange(36) // 12
    assert (family[apart.argmin(axis=1)] == family).mean() == 1


def test_umap_is_used_where_it_is_installed(answers, monkeypatch):
    class UMAP:
        def __init__(self, **options):
            self.options = options

        def fit_transform(self, features):
            assert np.allclose(np.linalg.norm(features, axis=1), 1)  # in standard deviations
            return features[:, :2] * [3, 5]

    monkeypatch.setattr(module, "import_module", lambda name: type("umap", (), {"UMAP": UMAP}))
    places, told = landscape(answers, seed=4)
    assert told.startswith("UMAP") and "seed 4" in told
    assert np.allclose([places.min(axis=0), places.max(axis=0)], [[0, 0], [1, 1]])


def test_a_silent_unit_has_a_place(answers, monkeypatch):
    monkeypatch.setattr(module, "import_module", _absent)
    answers[:, 5] = 2.0
    assert np.isfinite(landscape(answers)[0]).all()


def test_three_units_or_photos_make_no_map(answers):
    assert landscape(answers[:, :3]) is None
    assert landscape(answers[:3]) is None


def _absent(name: str):
    raise ModuleNotFoundError(name)
