"""HTML tree -> blocks: where a block begins and ends, what is known of it, and what pages do to break it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ExtractError
from pipeline.stages.extract.blocks import TAGS, Blocks, blocks_of
from pipeline.stages.extract.names import GROUPS, HIDDEN, groups_of
from pipeline.stages.markup import DEEPEST, parse


def blocks(markup: str) -> Blocks:
    return blocks_of(parse(f"<html><body>{markup}</body></html>", "https://example.com/"))


def groups(bits: int) -> set[str]:
    return {group for place, group in enumerate(GROUPS) if bits >> place & 1}


@pytest.mark.parametrize(
    ("markup", "texts"),
    [
        pytest.param("<p>One\n <b>two</b> <i>three</i>.</p><p>Four</p>", ["One two three.", "Four"], id="paragraphs"),
        pytest.param("<div>Before<p>Inside</p>after</div>", ["Before", "Inside", "after"], id="text around"),
        pytest.param("One<br>two<br/><br>three", ["One", "two", "three"], id="line breaks"),
        pytest.param("<p>a<script>b</script><style>c</style>d</p>", ["ad"], id="scripts"),
        pytest.param("<p>a<script async/>b()</script>c</p>", ["ac"], id="a script that closes itself, and is closed"),
        pytest.param("<p>a<script src='b' />c</p><script>d</script>", ["ac"], id="an empty script of XHTML"),
        pytest.param("<p> \n\u00a0</p><div></div>", [], id="nothing"),
        pytest.param("<ul><li>a<li>b</ul>", ["a", "b"], id="list"),
        pytest.param("<table><tr><td>a<td>b</table>", ["a", "b"], id="cells"),
        pytest.param("<button>Menu<main><p>The text.</p></main>", ["Menu", "The text."], id="button never closed"),
        pytest.param("<p>Her<span>ald</span></p>", ["Herald"], id="inline inside a word"),
        pytest.param("<p>文章<b>第一</b>段。</p>", ["文章第一段。"], id="no spaces"),
    ],
)
def test_blocks_are_the_text_between_the_edges_of_paragraphs(markup: str, texts: list[str]) -> None:
    assert blocks(markup).texts == texts


def test_links_and_bold_text_are_counted() -> None:
    found = blocks("<p>See <a href='/'>the <b>list</b></a> or <strong>ask</strong></p><p>No link</p>")
    assert (found.linked, found.links, found.strong) == ([7, 0], [1, 0], [7, 0])


def test_a_block_knows_its_container_and_a_container_its_blocks() -> None:
    found = blocks("<article><h1>A</h1><div><p>B</p><p>C</p></div></article><p>D</p>")
    article = found.tag.index(TAGS.index("article"))
    assert found.texts[found.first[article] : found.last[article]] == ["A", "B", "C"]
    assert [TAGS[found.tag[owner]] for owner in found.owner] == ["h1", "p", "p", "p"]
    assert (found.first[0], found.last[0]) == (0, 4)


def test_elements_that_look_the_same_are_alike() -> None:
    found = blocks("<ul><li class=a>1</li><li class=a>2</li><li class=b>3</li></ul><ol><li class=a>4</li></ol>")
    one, two, three, four = (found.looks[owner] for owner in found.owner)
    assert one == two
    assert len({one, three, four}) == 3


@pytest.mark.parametrize(
    ("markup", "named"),
    [
        pytest.param("<aside>x</aside>", {"aside"}, id="element"),
        pytest.param("<div class='c-newsletterForm'>x</div>", {"form", "signup"}, id="class in camel case"),
        pytest.param("<div id='relatedPosts'>x</div>", {"related", "story"}, id="id"),
        pytest.param("<div role='navigation'>x</div>", {"nav"}, id="role"),
        pytest.param("<div itemprop='articleBody'>x</div>", {"article", "content"}, id="itemprop"),
        pytest.param("<div class='header'>x</div>", {"header"}, id="no advertisement in a header"),
        pytest.param("<div hidden>x</div>", {"hidden"}, id="hidden"),
        pytest.param("<div style='display: none'>x</div>", {"hidden"}, id="not displayed"),
        pytest.param("<div style='color: red'>x</div>", set(), id="style"),
    ],
)
def test_names_put_a_container_into_groups(markup: str, named: set[str]) -> None:
    found = blocks(markup)
    assert groups(found.groups[found.owner[0]]) == named


def test_the_names_of_inline_elements_are_their_blocks() -> None:
    assert groups(blocks("<p><span class='byline'>By Jane Doe</span></p>").inline[0]) == {"byline"}


def test_a_class_is_read_up_to_a_limit() -> None:
    assert groups_of("x " * 1_000 + "newsletter") == 0
    assert groups_of("visuallyhidden") & HIDDEN


@pytest.mark.parametrize(
    "names", ["post-body", "post_body", "post1body2", "post body", "postBody", "PostBody", "POST-BODY", "post-body-é"]
)
def test_a_name_is_read_by_its_words_however_they_are_joined(names: str) -> None:
    assert groups_of(names) == groups_of("post") | groups_of("body") != 0


def test_what_only_holds_a_whole_word_is_in_no_group() -> None:
    assert groups_of("nobody ad-hoc") == groups_of("ad") != 0
    assert groups_of("ax") == 0


def test_the_deepest_page_that_is_parsed_is_read() -> None:
    levels = DEEPEST - 4
    assert blocks("<div>" * levels + "deep").texts == ["deep"]
    assert blocks("<i>" * levels + "deep").texts == ["deep"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<div>", "</div>", "<td>", "<a>", "</a>", "<br>", "<li>", "<i>", "text", "&nbsp;"]
        ),
        max_size=40,
    )
)
def test_every_word_of_a_page_is_in_one_block_and_the_columns_fit(pieces: list[str]) -> None:
    try:
        found = blocks("".join(pieces))
    except ExtractError:
        return
    assert "".join(found.texts).replace(" ", "") == "text" * pieces.count("text")
    assert len({len(column) for column in (found.texts, found.linked, found.links, found.strong, found.owner)}) == 1
    assert all(0 <= first <= last <= len(found.texts) for first, last in zip(found.first, found.last, strict=True))
    assert all(parent <= at for at, parent in enumerate(found.parent))
