"""What was changed between two versions of an article."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.changes import AROUND, MOST_CHANGES, MOST_WORDS, Change, changes

OLD = "The minister said on Friday that twelve jets had taken off.\nThe army declined to comment.\nMore follows."
words = st.lists(st.sampled_from(["jets", "ships", "Seoul", "said", "twelve"]), max_size=12).map(" ".join)
versions = st.lists(words, max_size=6).map("\n".join)


@given(versions)
def test_a_text_is_no_change_of_itself(text: str) -> None:
    assert changes(text, text) == ()


@given(versions, versions)
def test_texts_of_other_words_always_differ(before: str, after: str) -> None:
    if before.split() != after.split():
        assert changes(before, after)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(
            OLD.replace("twelve", "fifteen"),
            Change("edited", "The minister said on Friday that [-twelve-] {+fifteen+} jets had taken off."),
            id="a word",
        ),
        pytest.param(
            OLD.replace("The army", "The army of the South"),
            Change("edited", "The army {+of the South+} declined to comment."),
            id="words that came",
        ),
        pytest.param(
            OLD.replace(" on Friday", ""),
            Change("edited", "The minister said [-on Friday-] that twelve jets had taken off."),
            id="words that went",
        ),
        pytest.param(
            OLD.replace("\nMore follows.", ""), Change("removed", "More follows."), id="a paragraph that went"
        ),
        pytest.param(OLD + "\nA new end.", Change("added", "A new end."), id="a paragraph that came"),
    ],
)
def test_a_change_is_shown_in_its_surroundings(after: str, expected: Change) -> None:
    assert changes(OLD, after) == (expected,)


def test_a_paragraph_in_place_of_another_is_no_edit_of_it() -> None:
    found = changes(OLD, OLD.replace("The army declined to comment.", "Analysts see a signal to Pyongyang."))
    assert [change.kind for change in found] == ["removed", "added"]


def test_what_lies_between_two_edits_is_left_out_when_it_is_long() -> None:
    middle = " ".join(f"w{n}" for n in range(30))
    (near,) = changes("old start w1 w2 w3 old end", "new start w1 w2 w3 new end")
    assert near.text == "[-old-] {+new+} start w1 w2 w3 [-old-] {+new+} end"
    (far,) = changes(f"old {middle} old {middle}", f"new {middle} new {middle}")
    assert far.text.count("…") == 2
    assert len(far.text.split()) == 4 + 3 * AROUND + 2


@pytest.mark.parametrize("text", ["one two three", "word " * 5 * MOST_WORDS, "\n".join(map(str, range(2000)))])
def test_however_much_was_changed_the_answer_is_bounded(text: str) -> None:
    for found in (changes("", text), changes(text, ""), changes(text, text[: len(text) // 2])):
        assert len(found) <= MOST_CHANGES
        assert all(len(change.text.split()) <= 2 * MOST_WORDS + 1 for change in found)
