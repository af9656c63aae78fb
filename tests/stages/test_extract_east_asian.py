"""Chinese, Japanese or Korean byline -> names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.extract.east_asian import LONGEST_BYLINE, named, signed


@pytest.mark.parametrize(
    ("text", "people"),
    [
        pytest.param("본지 김철수 국방전문기자", (), id="no name first"),
        pytest.param("김철수 국방전문기자", ("김철수",), id="role"),
        pytest.param("홍길동기자", ("홍길동",), id="role without a space"),
        pytest.param("김철수·이영희 기자", ("김철수", "이영희"), id="two of one role"),
        pytest.param("기자 회견", (), id="press conference"),
        pytest.param("記者会見", (), id="Japanese press conference"),
        pytest.param("山田太郎記者", ("山田太郎",), id="role behind a Japanese name"),
        pytest.param("取材・文＝佐藤花子 写真＝山田太郎", ("佐藤花子",), id="not who took the pictures"),
        pytest.param("記者 山田 太郎", ("山田 太郎",), id="family and given name apart"),
        pytest.param("记者 张伟 李强", ("张伟", "李强"), id="two short Chinese names"),
        pytest.param("本报记者 王小明 通讯员 张伟", ("王小明", "张伟"), id="two labels"),
        pytest.param("作者：买买提·艾合买提", ("买买提·艾合买提",), id="a dot within a name"),
        pytest.param("論文 山田太郎", (), id="the end of another word"),
        pytest.param("김철수" * 60 + " 기자", (), id="paragraph"),
        pytest.param("Jane Doe", (), id="another script"),
    ],
)
def test_a_label_or_a_role_tells_a_name(text: str, people: tuple[str, ...]) -> None:
    assert signed(text) == people


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("王小明", ("王小明",)),
        ("王小明、张伟", ("王小明", "张伟")),
        ("【山田太郎】", ("山田太郎",)),
        ("김철수 & 이영희", ("김철수", "이영희")),
        ("新华社", ()),
        ("연합뉴스", ()),
        ("防衛省", ()),
    ],
)
def test_a_byline_names_people_but_no_agency(byline: str, people: tuple[str, ...]) -> None:
    assert named(byline) == people


@given(st.text(st.sampled_from("王小明记者作者：、 김철수기자/()＝文")))
def test_names_are_short_and_different(text: str) -> None:
    found = named(text)
    assert len(set(found)) == len(found)
    assert all(0 < len(name) <= 20 for name in found)
    assert not signed("王" * LONGEST_BYLINE + text)
