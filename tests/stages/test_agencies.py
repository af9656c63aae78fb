"""Who wrote a copy, by the lines that agencies and outlets put around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.query.countries import COUNTRIES
from pipeline.stages.agencies import AGENCIES, Agency, agency
from tests import make

REST = "\n".join(
    (
        "The ministry said that the drill had been planned for months.",
        "It gave no other details.",
        "Residents heard the jets.",
        "More drills are planned for the autumn.",
    )
)


def written(text: str, url: str = "https://daily.example/1") -> str | None:
    found = agency(make.article(text=text, url=url, canonical_url=url))
    return found.name if found else None


@pytest.mark.parametrize(
    ("opening", "name"),
    [
        ("SEOUL, South Korea (AP) — South Korea flew jets on Friday.", "AP"),
        ("SEOUL, July 11 (Yonhap) -- South Korea flew jets on Friday.", "Yonhap"),
        ("WASHINGTON, July 11 (Reuters) - The Pentagon said on Friday.", "Reuters"),
        ("PARIS (AFP) – France will send a frigate.", "AFP"),
        ("TAIPEI (AFP/Reuters) - Taiwan detected aircraft.", "AFP"),
        ("BEIJING, July 11 (Xinhua) -- China urged restraint.", "Xinhua"),
        ("MOSCOW, July 11. /TASS/. Air defenses shot down drones.", "TASS"),
        ("МОСКВА, 11 июля. /ТАСС/. Средства ПВО сбили беспилотники.", "TASS"),
        ("МОСКВА, 11 июл — РИА Новости. Средства ПВО сбили беспилотники.", "RIA Novosti"),
        ("Berlin (dpa) - Die Bundeswehr bekommt neue Panzer.", "dpa"),
        ("Madrid, 11 jul (EFE).- España enviará un buque.", "EFE"),
        ("(ANSA) - ROMA, 11 LUG - La Marina invierà una nave.", "ANSA"),
        ("New Delhi [India], July 11 (ANI): The Navy commissioned a ship.", "ANI"),
        ("New Delhi, Jul 11 (PTI) - The Navy commissioned a ship.", "PTI"),
        ("TOKYO (Kyodo) - Japan will buy missiles.", "Kyodo"),
        ("ANKARA (AA) - Türkiye tested a drone.", "Anadolu"),
        ("(서울=연합뉴스) 홍길동 기자 = 한미일이 연합 공중훈련을 했다.", "Yonhap"),
        ("[서울=뉴시스] 홍길동 기자 = 한미일이 연합 공중훈련을 했다.", "Newsis"),
        ("【ワシントン共同】米国防総省は11日発表した。", "Kyodo"),
        ("[ワシントン 11日 ロイター] - 米国防総省は発表した。", "Reuters"),
        ("新华社北京7月11日电 国防部发言人表示。", "Xinhua"),
        ("（中央社記者王小明台北11日電）國防部今天表示。", "CNA"),
        ("ARLINGTON, Va., July 11, 2025 /PRNewswire/ -- A firm won a contract.", "PR Newswire"),
        ("ARLINGTON, Va.--(BUSINESS WIRE)--A firm won a contract.", "Business Wire"),
        ("By KIM TONG-HYUNG, Associated Press\nSouth Korea flew jets.", "AP"),
        ("AP - A law strengthened the protection of soldiers' jobs.", "AP"),
        ("Associated Press\nSouth Korea flew jets.", "AP"),
    ],
)
def test_the_opening_names_the_agency(opening: str, name: str) -> None:
    assert written(f"{opening}\n{REST}") == name


@pytest.mark.parametrize(
    ("closing", "name"),
    [
        ("(Reporting by Josh Smith; Editing by Raju Gopalakrishnan)", "Reuters"),
        ("Additional reporting by Idrees Ali in Washington; Writing by A B; editing by C D", "Reuters"),
        ("Source: Xinhua", "Xinhua"),
        ("Copyright 2025 The Associated Press. All rights reserved.", "AP"),
        ("© 2025 AFP", "AFP"),
        ("(avec AFP)", "AFP"),
        ("Mit Material der dpa", "dpa"),
        ("(With inputs from ANI)", "ANI"),
        ("The jets landed an hour later. (ANI)", "ANI"),
        ("The jets landed an hour later. – AFP", "AFP"),
        ("来源：新华社", "Xinhua"),
        ("PTI AKJ ZMN", "PTI"),
    ],
)
def test_the_closing_line_names_the_agency(closing: str, name: str) -> None:
    assert written(f"{REST}\n{closing}") == name


def test_an_agency_writes_what_stands_on_its_own_site() -> None:
    assert written(REST, "https://apnews.com/article/1") == "AP"
    assert written(REST, "https://en.yna.co.kr/view/1") == "Yonhap"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The Pentagon told Reuters on Friday that it would wait.", id="told"),
        pytest.param("Yonhap reported on Friday that jets had flown.", id="reported"),
        pytest.param("According to AP, jets flew.", id="according to"),
        pytest.param("Students in Advanced Placement (AP) - a programme for schools - met soldiers.", id="a programme"),
        pytest.param("The Associated Press (AP) - founded in 1846 - moved its bureau.", id="about the agency"),
        pytest.param("Armour-piercing (AP) rounds were fired at the AP range.", id="a kind of round"),
        pytest.param("The Afghan National Police (ANP) was dissolved.", id="a police"),
        pytest.param("Map of the drills\nTT and AA guns were towed.", id="other words"),
        pytest.param("SEOUL (Defense Daily) - South Korea flew jets.", id="another outlet's dateline"),
        pytest.param(f"{REST}\nThe Associated Press contributed to this report.", id="contributed"),
        pytest.param(f"{REST}\nReporting by our correspondent in Seoul.", id="reporting without editing"),
        pytest.param(f"{REST}\nBy now the AP", id="an end that begins with by"),
        pytest.param("MAP - Where the drills are held", id="a word that is an agency's name elsewhere"),
        pytest.param("By Reuters, " * 20 + "AP", id="a long line that is no credit"),
        pytest.param("", id="no text"),
    ],
)
def test_an_agency_that_is_only_named_wrote_nothing(text: str) -> None:
    assert written(text) is None


@given(st.text(max_size=300))
def test_of_any_text_an_agency_of_the_table_or_none_is_said(text: str) -> None:
    found = agency(make.article(text=text))
    assert found is None or AGENCIES[found.name] == found


def test_every_agency_has_a_country() -> None:
    assert len(AGENCIES) > 60
    assert {one.country for one in AGENCIES.values()} <= set(COUNTRIES)
    assert AGENCIES["KCNA"] == Agency("KCNA", "KP")
