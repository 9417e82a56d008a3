"""Wilson's interval against published values and against the equation that defines its ends."""

import pytest

from clipbench import ClipbenchError
from clipbench.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "n", "published"),  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_published_intervals(hits, n, published):
    assert wilson(hits, n) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(("hits", "n"), [(1, 2), (3, 12), (17, 64), (999, 1000)])
def test_the_ends_are_the_rates_that_the_score_test_just_admits(hits, n):
    for rate in wilson(hits, n):
        z = (hits / n - rate) / (rate * (1 - rate) / n) ** 0.5
        assert abs(z) == pytest.approx(1.96, abs=1e-3)


def test_all_mirrors_none():
    low, high = wilson(0, 7)
    assert wilson(7, 7) == pytest.approx((1 - high, 1 - low))
    assert low == 0 and wilson(7, 7)[1] == 1


@pytest.mark.parametrize("n", range(1, 200))
def test_the_ends_are_rates_and_hold_the_rate(n):
    for hits in range(n + 1):
        low, high = wilson(hits, n)
        assert 0 <= low <= hits / n <= high <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 4), (5, 4)])
def test_what_is_no_rate_is_refused(hits, n):
    with pytest.raises(ClipbenchError):
        wilson(hits, n)
