"""Language tags in all spellings, read in one place."""

import pytest

from pipeline.stages import langtag


@pytest.mark.parametrize(
    ("tag", "usual"),
    [("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("es_419", "es-419"), (" de ", "de"), ("english", None), ("", None)],
)
def test_a_language_tag_has_one_spelling(tag: str, usual: str | None) -> None:
    assert langtag.usual(tag) == usual
