"""The concepts of the English model: notation of terms, and which concept a spelling belongs to."""

import pytest

from pipeline.stages.classify.concepts import listed, spellings


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("army", {"army"}),
        ("soldier(s)", {"soldier", "soldiers"}),
        ("defen[c|s]e", {"defence", "defense"}),
        ("air~strike", {"airstrike", "air strike"}),
        ("[air|drone] strike(s)", {"air strike", "air strikes", "drone strike", "drone strikes"}),
        (
            "(un)manned [a(b|c)|d]",
            {"manned a", "manned ab", "manned ac", "manned d"} | {f"unmanned {x}" for x in ("a", "ab", "ac", "d")},
        ),
    ],
    ids=["plain", "plural", "choice", "gap", "product", "nested"],
)
def test_a_notation_stands_for_its_spellings(notation: str, expected: set[str]) -> None:
    assert set(spellings(notation)) == expected


def test_a_spelling_belongs_to_the_last_group_that_lists_it_and_before_the_gazetteer() -> None:
    table = {
        "group": [
            {"name": "first", "terms": "trade war, =IDF,\n tank(s), f-16"},
            {"name": "second", "terms": "Tank,"},
        ]
    }
    names, phrases = listed(table)
    concept = {phrase: names[place] for phrase, place in phrases}
    assert (concept["tank"], concept["tanks"], concept["IDF"], concept["f-16"]) == ("second", "first", "first", "first")
    assert "F-16" not in concept
    assert concept["HIMARS"] == "name of system"
    assert concept["Javelin"] == "possible name of system"
    assert phrases == sorted(phrases)
