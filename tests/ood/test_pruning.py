"""How far pruning has come, and agreement: by hand, and against scipy and scikit-learn."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from wsss.ood.pruning import (
    class_account,
    class_accounts,
    cohens_kappa,
    images_to_check,
    wilson_interval,
)

WORDS = st.lists(st.tuples(*[st.sampled_from(["keep", "reject"])] * 2), max_size=40)


# The interval


@given(st.integers(1, 10**6), st.floats(0, 1))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_the_interval_is_scipys(trials, share):
    successes = round(share * trials)
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    found = wilson_interval(successes, trials)
    # The largest difference seen is 2e-15.
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found[0] <= successes / trials <= found[1] <= 1


def test_the_interval_of_one_trial_by_hand():
    """Of no success in n trials it is 0 to z^2 / (n + z^2), and mirrored of n."""
    assert wilson_interval(0, 1) == pytest.approx((0, 3.8414588 / 4.8414588), abs=1e-7)
    assert wilson_interval(1, 1) == pytest.approx((1 / 4.8414588, 1), abs=1e-7)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 2), (3, 2)])
def test_an_interval_of_nothing_is_refused(successes, trials):
    with pytest.raises(ValueError, match=f"{successes} of {trials}: give at least one trial"):
        wilson_interval(successes, trials)


# Agreement


@given(WORDS)
@settings(deadline=None, derandomize=True, max_examples=300)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_kappa_is_scikit_learns(pairs):
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    found = cohens_kappa(first, second)
    if len({*first, *second}) < 2:
        assert found is None
        return
    assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found == cohens_kappa(second, first)


def test_kappa_by_hand():
    """Cohen (1960): agreement on 0.7 of the items, 0.5 by chance."""
    first = ["keep"] * 25 + ["reject"] * 25
    second = ["keep"] * 20 + ["reject"] * 5 + ["keep"] * 10 + ["reject"] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert cohens_kappa(first, first) == 1
    assert cohens_kappa(["keep"], ["reject"]) == 0


def test_kappa_of_unequal_lists_is_refused():
    with pytest.raises(ValueError, match="2 and 1 words: give both people's on the same items"):
        cohens_kappa(["keep", "keep"], ["keep"])


# What is left


@pytest.mark.parametrize(
    ("wanted", "kept", "rate", "expected"),
    [
        (100, 70, 50 / 120, 52),
        (100, 40, 0.4, 100),
        (100, 0, 0.0, 100),
        (1, 0, 0.999, 1000),
        (100, 100, None, 0),
        (100, 120, 1.0, 0),
        (100, 10, None, None),
        (100, 0, 1.0, None),
    ],
)
def test_images_to_check(wanted, kept, rate, expected):
    assert images_to_check(wanted, kept, rate) == expected


def test_an_account_by_hand():
    account = class_account(1208, 70, 50, wanted=100)
    assert (account.decided, account.rate) == (120, 50 / 120)
    assert (account.rate_low, account.rate_high) == pytest.approx((0.332, 0.506), abs=1e-3)
    assert (account.to_check, account.enough, account.done) == (52, True, False)


@pytest.mark.parametrize(
    ("ranked", "kept", "rejected", "wanted", "to_check", "enough", "done"),
    [
        # Before the first decision nothing is known.
        (10, 0, 0, 5, None, True, False),
        (10, 0, 0, None, 10, True, False),
        # All that is there is not more than that.
        (10, 1, 3, 5, 6, True, False),
        (10, 0, 4, 5, None, False, False),
        # One rejected image tells little of the others.
        (10, 0, 1, 5, None, True, False),
        (10, 5, 4, 5, 0, True, True),
        (10, 3, 7, 5, 0, False, True),
        (10, 3, 4, None, 3, True, False),
        (10, 3, 7, None, 0, True, True),
        (0, 0, 0, 5, 0, False, True),
        (4, 0, 0, 5, None, False, False),
    ],
)  # fmt: skip
def test_accounts_at_their_edges(ranked, kept, rejected, wanted, to_check, enough, done):
    account = class_account(ranked, kept, rejected, wanted=wanted)
    assert (account.to_check, account.enough, account.done) == (to_check, enough, done)
    assert (account.rate is None) == (account.rate_low is None) == (kept + rejected == 0)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(1, 60))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_what_is_left_is_never_more_than_there_is(undecided, kept, rejected, wanted):
    account = class_account(kept + rejected + undecided, kept, rejected, wanted=wanted)
    if account.to_check is not None:
        assert 0 <= account.to_check <= undecided
        # Who looks at as many, or at all, is done at this rate.
        rate = account.rate or 0.0
        reached = kept + account.to_check * (1 - rate) >= wanted - 1e-6
        assert account.to_check == undecided or reached
    assert account.done == (kept >= wanted or not undecided)


def test_more_decisions_than_candidates_are_refused():
    with pytest.raises(ValueError, match="2 kept and 1 rejected of 2 candidates: too many"):
        class_account(2, 2, 1, wanted=None)


def test_an_image_of_two_classes_counts_in_both():
    ranked = {"train": ["a", "b"], "bird": ["c", "a", "d"], "cow": []}
    accounts = class_accounts(ranked, {"a": "keep", "c": "reject"}, wanted_per_class=1)
    assert list(accounts) == ["train", "bird", "cow"]
    assert accounts["train"] == class_account(2, 1, 0, wanted=1)
    assert accounts["bird"] == class_account(3, 1, 1, wanted=1)
    assert accounts["cow"].done and math.isclose(accounts["bird"].rate, 0.5)
