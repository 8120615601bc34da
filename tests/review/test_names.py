"""Names of annotators become names of files."""

import pytest

from wsss.review.names import annotator_name


@pytest.mark.parametrize("name", ["anna", "Anna B.", "jürgen_2", "李", "a" * 40, "x-y"])
def test_names_that_people_have(name):
    assert annotator_name(f" {name} ", known=["ben"]) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "../anna",
        "a/b",
        ".hidden",
        "a;b",
        "a: b",
        "a,b",
        "a" * 41,
        "a\nb",
        "a\0b",
        "ben settles",
    ],
)
def test_names_that_could_be_paths_or_separate_votes_are_refused(name):
    with pytest.raises(
        ValueError, match="is no name for an annotator: use 1 to 40 letters"
    ) as told:
        annotator_name(name, known=[])
    assert "\n" not in str(told.value)


def test_a_name_that_differs_in_case_only_would_share_a_file():
    with pytest.raises(ValueError, match="there is an annotator Anna already"):
        annotator_name("anna", known=["Anna"])


def test_both_forms_of_an_accent_are_one_name():
    assert annotator_name("Jose\u0301", known=["Jos\u00e9"]) == "Jos\u00e9"
