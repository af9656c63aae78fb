"""The lexicon judges by the codebook: hard boundaries as a table, clear cases exactly, evidence that adds up."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Article, DateOrigin, Label, Verdict
from pipeline.stages.classify import lexicon

LEXICON = lexicon.load((0.3, 0.7))
FLOOR = 0.9  # share of the hard probes that the baseline gets right

WORKED_EXAMPLE = (
    "South Korea, the US and Japan flew joint air drills near Jeju on July 11 with a B-52H, South Korean KF-16s and "
    "Japanese F-2s. It is a response to North Korea's nuclear and missile threats. The three military chiefs met in "
    "Seoul, warned of a build-up by North Korea and China, and agreed to expand the Freedom Edge exercises."
)

HARD_YES = [
    "Poland signs for another 180 K2 tanks",
    "Shipbuilder wins order for three frigates from Norway",
    "Ammunition maker's order backlog hits record on European rearmament",
    "45 warplanes crossed the median line, Taipei says",
    "City council backs plan for defence innovation hub near airfield",
    "Tanker convoy gets naval escort through Hormuz",
    "Carrier strike group sails for the Red Sea",
    "Two pilots die as trainer jet crashes during air force sortie",
    "Fighters scrambled after bombers approach Alaska air defense zone",
    "Parliament approves longer conscription for women and men",
    "Court martial convicts colonel of disobeying orders at the front",
    "Army chief of staff replaced after eight months",
    "Inspectors find uranium enriched to near weapons grade",
    "Pyongyang says it tested a new solid-fuel ICBM",
    "Ceasefire talks collapse as shelling resumes in the east",
    "Prisoners of war come home in the largest exchange yet",
    "Village retaken by rebels after night of drone attacks",
    "Somali troops kill al-Shabaab commander in dawn raid",
    "Police arrest five suspected Islamic State members in Istanbul",
    "State-backed hackers broke into shipyard that builds submarines",
    "Undersea cable sabotage blamed on Russian military intelligence",
    "Engineer jailed for passing submarine secrets to Beijing spies",
    "US bans sale of chips to firms that supply the Chinese military",
    "Lockheed raises full-year guidance on F-35 deliveries",
    "Union strike halts work at Navy shipyard",
    "Startup raises $200 million to build loitering munitions",
    "Berlin to deliver four more IRIS-T batteries to Kyiv",
    "State Department clears HIMARS package for Estonia",
    "Soldiers seize presidential palace in apparent coup",
    "Missile defence satellite reaches orbit for Space Force",
    "Marines join flood relief as 3,000 troops deploy to the delta",
    "Defence ministers of the three allies meet in Manila",
    "Sanctions hit buyers of parts for Iran's missile programme",
    "Villagers killed by artillery fire while queueing for aid",
    "Coast guard ships ram supply boat at disputed shoal",
    "Veterans Affairs hospitals face deep staff cuts",
    "Households told what to pack if war comes",
    "Hostages freed under first phase of truce",
    "Minehunters sweep shipping lane after blasts",
    "GPS jamming traced to army base across the border",
    "Turkey's Bayraktar opens drone plant near Kyiv",
    "NATO weighs permanent brigade on eastern flank",
]
HARD_NO = [
    "Veteran actor joins cast of submarine thriller",
    "Call of Duty tops sales chart for tenth week",
    "Chess champion's Sicilian defence holds in rapid final",
    "Coach praises defence after goalless draw",
    "Army of volunteers cleans up beach",
    "Salvation Army opens winter shelter",
    "Bomb hoax empties three schools",
    "Man on trial over Islamic State plot pleads guilty",
    "Shootout between cartel gunmen and police leaves six dead",
    "Coast guard rescues crew of sinking trawler",
    "Vintage Spitfire crashes at air show",
    "Town marks 80th anniversary of battle that ended the siege",
    "Defence lawyer asks jury to acquit banker",
    "Trade war weighs on factory orders",
    "Scientists open a new front in the war on cancer",
    "Rail strike to hit commuters on Monday",
    "OpenAI strikes deal with publisher",
    "Hunger strike at prison enters second week",
    "Oil drilling resumes off Guyana",
    "School drill teaches pupils what to do in an earthquake",
    "Oil rises on Gulf tension",
    "Shell company hid fortune of minister",
    "Think tank says growth will slow",
    "Patriots beat Jets with late field goal",
    "Arsenal strike twice to sink United",
    "SWAT team ends stand-off with armed robber",
    "Gun shop owners sue over background checks",
    "Nuclear power station extends its life by twenty years",
    "SpaceX rocket launches weather satellite",
    "Drone delivery of groceries starts in Dublin",
    "Museum shows tanks and uniforms of the First World War",
    "New film retells the D-Day landings",
    "Aid agencies warn of famine in Sudan",
    "Polio vaccination begins in Gaza",
    "Lockheed shares: should you buy before earnings?",
    "Ransomware gang demands money from hospital chain",
    "President hosts state dinner for royal couple",
    "Airline orders 40 passenger jets",
    "Heart attack risk falls with regular exercise, study finds",
    "Rebels in the governing party threaten to block tax bill",
    "Trump fires back at critics in war of words",
    "Singer's army of fans crashes ticket site",
    "Earthquake strikes central Turkey, killing dozens",
    "Bidding war breaks out for London hotel",
]
"""Original sentences along the boundaries that the codebook draws."""


def article(title: str = "", text: str = "", lang: str | None = "en") -> Article:
    return Article(
        url="https://news.example/a",
        canonical_url="https://news.example/a",
        title=title,
        text=text,
        published_at=datetime(2025, 7, 11, tzinfo=UTC),
        published_from=DateOrigin.PAGE,
        extractor="test@1",
        lang=lang,
    )


def judged(title: str = "", text: str = "", lang: str | None = "en") -> Verdict:
    return LEXICON.classify(article(title, text, lang))


def log_odds(score: float) -> float:
    return math.log(score / (1 - score))


def test_the_floor_of_the_hard_boundaries_holds() -> None:
    right = [title for title in HARD_YES if judged(title).label is Label.DEFENSE]
    right += [title for title in HARD_NO if judged(title).label is Label.OTHER]
    assert len(right) >= FLOOR * (len(HARD_YES) + len(HARD_NO))


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("Three destroyers join naval drills in the Philippine Sea", "operations"),
        ("Airstrikes hit Khartoum as ceasefire collapses", "conflict"),
        ("New cruise missile passes sea trial", "weapons"),
        ("North Korea displays nuclear warheads", "nuclear"),
        ("Defense contract worth $2bn goes to Norwegian yard", "procurement"),
        ("Rheinmetall expands ammunition plant", "industry"),
        ("NATO defence ministers agree on military spending", "policy"),
        ("Court-martial of lieutenant general opens", "personnel"),
        ("Military intelligence officers named in state-sponsored hacking case", "cyber"),
        ("Boko Haram militants attack army camp", "terrorism"),
    ],
)
def test_each_topic_is_found_in_a_clear_case(title: str, topic: str) -> None:
    verdict = judged(title)
    assert verdict.label is Label.DEFENSE
    assert topic in verdict.topics


@pytest.mark.parametrize(
    "title", ["Trade war widens", "War on cancer", "Salvation Army", "Call of Duty", "Army of fans"]
)
def test_a_cancelled_term_is_no_evidence_for_defense(title: str) -> None:
    assert all(evidence.weight < 0 for evidence in judged(title).evidence)


def test_the_worked_example_is_defense_with_its_topics() -> None:
    verdict = judged("Seoul, Washington and Tokyo stage joint air drills", WORKED_EXAMPLE)
    assert verdict.label is Label.DEFENSE
    assert {"operations", "nuclear", "policy"} <= set(verdict.topics)
    assert not verdict.needs_review
    assert verdict.classifier == "lexicon@1"


@pytest.mark.parametrize(
    ("title", "surface"),
    [
        ("Two F-16Cs intercepted", "F-16Cs"),
        ("A B-52H landed", "B-52H"),
        ("The F16 crashed", "F16"),
        ("An air-strike hit the town", "air-strike"),
        ("An airstrike hit the town", "airstrike"),
        ("The U.S. Navy's plans", "U.S. Navy"),
        ("The navy’s plans", "navy"),
        ("Lt. Gen. Smith speaks", "Lt. Gen."),
    ],
    ids=["variant", "model", "no hyphen", "hyphen", "one word", "dots", "possessive", "rank"],
)
def test_evidence_points_at_the_words_as_written(title: str, surface: str) -> None:
    assert surface in [title[evidence.start : evidence.end] for evidence in judged(title).evidence]


def test_no_term_reaches_over_a_comma() -> None:
    assert "trade war" in [evidence.term for evidence in judged("A trade war").evidence]
    assert "war" in [evidence.term for evidence in judged("After trade, war").evidence]


def test_case_matters_where_the_lexicon_says_so() -> None:
    assert judged("The IDF speaks").score > judged("The idf speaks").score
    assert judged("Patriot missile arrives").evidence[0].term == "Patriot missile"
    assert judged("Patriot Missile arrives").evidence[0].term == "Patriot missile"


def test_a_term_that_needs_a_context_counts_more_beside_it() -> None:
    assert judged("Ukraine strikes depot").score > judged("Depot strikes").score
    far = "Ukraine " + "and then " * 10 + "strikes"
    assert judged("Ukraine strikes").score > judged(far).score


def test_a_term_weighs_more_in_the_title_than_in_the_lead_and_there_more_than_below() -> None:
    below = "word " * 80 + "airstrike"
    assert judged("airstrike").score > judged("", "airstrike").score > judged("", below).score > judged("").score


def test_a_repeated_term_counts_less_each_time() -> None:
    once, twice, thrice = (log_odds(judged("", "airstrike " * times).score) for times in (1, 2, 3))
    assert once < twice < thrice
    assert twice - once > thrice - twice


def test_the_text_beyond_its_first_thousand_characters_is_not_read() -> None:
    filler = "word " * 200
    assert judged("", filler + "airstrike").evidence == ()
    assert judged("", filler[:-5] + "pad airstrike").evidence != ()


def test_other_articles_carry_no_topics_and_defense_ones_at_least_one() -> None:
    assert judged("Local bakery wins prize for bread").topics == ()
    assert judged("Military band").topics or judged("Military band").label is Label.OTHER
    assert judged("Army military navy").topics == ("operations",)


@pytest.mark.parametrize(
    ("title", "lang"),
    [
        ("Neue Bäckerei eröffnet in Köln", "de"),
        ("Nouvelle boulangerie", "fr-FR"),
        ("새 빵집이 문을 열었다", None),
        ("Новая пекарня открылась в городе", "en"),
        ("La nueva panadería del barrio que abre por la tarde", None),
    ],
    ids=["declared", "declared region", "script", "script against declaration", "function words"],
)
def test_an_article_in_a_language_it_cannot_read_is_for_review(title: str, lang: str | None) -> None:
    assert judged(title, lang=lang).needs_review


@pytest.mark.parametrize("lang", ["en", "en-US", "EN-gb", None])
def test_an_english_article_without_evidence_is_not_for_review(lang: str | None) -> None:
    verdict = judged("Local bakery wins prize for its bread", lang=lang)
    assert (verdict.label, verdict.needs_review) == (Label.OTHER, False)


@pytest.mark.parametrize(
    ("title", "lang", "topic"),
    [
        ("북한, 탄도미사일 발사… 합참 발표", "ko", "weapons"),
        ("海上自衛隊の護衛艦が出港", "ja", "operations"),
        ("美国对台军售 导弹 战机", "zh", "weapons"),
        ("Минобороны: ракетный удар, обстрел", "ru", "conflict"),
        ("Міноборони про обстріл і війну", "uk", "conflict"),
        ("Verteidigungsminister besucht die Bundeswehr", "de", "policy"),
        ("Le ministère des Armées commande un sous-marin", "fr", "policy"),
        ("El ministro de Defensa y las Fuerzas Armadas", "es", "policy"),
        ("وزارة الدفاع: الجيش أطلق صاروخ", "ar", "policy"),
        ('צה"ל: טיל נורה לעבר חיילים', "he", "operations"),
    ],
)
def test_core_terms_of_other_languages_are_seen_and_still_reviewed(title: str, lang: str, topic: str) -> None:
    verdict = judged(title, lang=lang)
    assert verdict.label is Label.DEFENSE
    assert topic in verdict.topics
    assert verdict.needs_review


def test_the_review_band_is_what_was_asked_for() -> None:
    headline = article("The military")
    score = LEXICON.classify(headline).score
    assert lexicon.load((score, score)).classify(headline).needs_review
    assert not lexicon.load((0, score / 2)).classify(headline).needs_review
    assert not lexicon.load((score + 0.01, 1)).classify(headline).needs_review


@pytest.mark.parametrize(
    ("notation", "spelled"),
    [
        ("tank", ("tank",)),
        ("missile(s)", ("missile", "missiles")),
        ("arm(s|ed)", ("arm", "arms", "armed")),
        ("defen[c|s]e chief", ("defence chief", "defense chief")),
        ("air~strike", ("airstrike", "air strike")),
        ("[[naval|air] base|fort](s)", ("naval base", "naval bases", "air base", "air bases", "fort", "forts")),
        ("strike a[| new] deal", ("strike a deal", "strike a new deal")),
    ],
)
def test_the_notation_spells_out_every_form(notation: str, spelled: tuple[str, ...]) -> None:
    assert lexicon.spellings(notation) == spelled


TERMS = (
    "army troops missile F-16 B-52H strikes war trade police Ukraine U.S. Navy's lawyer defence film nuclear power deal"
)
VOCABULARY = st.sampled_from([*TERMS.split(), "ракета", "미사일", "导弹", ",", ".", "’s", "İ"])
TEXTS = st.one_of(st.text(max_size=1200), st.lists(VOCABULARY, max_size=200).map(" ".join))


@given(title=TEXTS, text=TEXTS, lang=st.sampled_from([None, "en", "de", ""]))
def test_evidence_adds_up_and_stays_inside_the_article(title: str, text: str, lang: str | None) -> None:
    verdict = judged(title, text, lang)
    assert 0 <= verdict.score <= 1
    assert log_odds(verdict.score) == pytest.approx(
        LEXICON.scale.bias + math.fsum(evidence.weight for evidence in verdict.evidence), abs=1e-6
    )
    assert list(verdict.evidence) == sorted(verdict.evidence, key=lambda evidence: -evidence.weight)
    for evidence in verdict.evidence:
        field = title if evidence.field == "title" else text
        assert 0 <= evidence.start < evidence.end <= len(field)
        words, wanted = (
            lexicon.words(part, len(part)) for part in (field[evidence.start : evidence.end], evidence.term)
        )
        assert len(words) == len(wanted) or verdict.needs_review
    assert (verdict.label is Label.DEFENSE) == (verdict.score >= verdict.threshold) == bool(verdict.topics)


def test_the_same_article_gives_the_same_verdict() -> None:
    assert judged("Navy drills", WORKED_EXAMPLE) == judged("Navy drills", WORKED_EXAMPLE)
