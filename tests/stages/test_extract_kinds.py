"""Galleries and videos: told apart from articles, and read where what is said is written down."""

import json
from datetime import UTC, datetime

import pytest

from pipeline.errors import ExtractError
from pipeline.model import Article, Entry, Page
from pipeline.stages.extract import TRANSCRIPT, extract

URL = "https://www.example.com/video/frigate"
SENTENCE = "The navy took delivery of the second frigate of its class in the northern port on Friday. "


def read(node: object, meta: str = "", text: str = "Watch.") -> Article:
    head = f"<title>Frigate delivered</title>{meta}<script type='application/ld+json'>{json.dumps(node)}</script>"
    html = f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>"
    return extract(Page(URL, html.encode(), "text/html", datetime(2025, 7, 11, tzinfo=UTC)), Entry("1", URL))


VIDEO = {"@type": "VideoObject", "name": "Frigate"}
SPOKEN = {**VIDEO, "transcript": SENTENCE * 4}


@pytest.mark.parametrize(
    ("node", "meta", "reason"),
    [
        pytest.param(VIDEO, "", "video", id="video"),
        pytest.param({"@type": "NewsArticle", "video": VIDEO}, "", "video", id="video of an article"),
        pytest.param({"@type": "NewsArticle", "video": [VIDEO, 7]}, "", "video", id="several videos"),
        pytest.param({}, "<meta property='og:type' content='video.other'>", "video", id="video by og:type"),
        pytest.param({"@type": "ImageGallery"}, "", "gallery", id="gallery"),
        pytest.param({}, "<meta property='og:type' content='gallery'>", "gallery", id="gallery by og:type"),
        pytest.param({**VIDEO, "transcript": ""}, "", "video", id="nothing written down"),
        pytest.param({"@type": "NewsArticle"}, "", "too-short", id="article"),
    ],
)
def test_a_page_without_text_says_what_it_shows(node: object, meta: str, reason: str) -> None:
    with pytest.raises(ExtractError) as caught:
        read(node, meta)
    assert caught.value.reason == reason


@pytest.mark.parametrize("node", [SPOKEN, {"@type": "NewsArticle", "video": SPOKEN}], ids=["alone", "of an article"])
def test_what_is_said_in_a_video_is_its_text(node: object) -> None:
    article = read(node)
    assert (article.text, article.extractor) == ((SENTENCE * 4).strip(), TRANSCRIPT)


def test_an_article_with_a_video_is_read_itself() -> None:
    assert read(SPOKEN, text=SENTENCE * 3).text == (SENTENCE * 3).strip()


def test_a_live_blog_is_an_article_of_the_day_that_it_began() -> None:
    update = {"@type": "BlogPosting", "headline": "Ship sails", "datePublished": "2025-07-10T20:00Z"}
    blog = {"@type": "LiveBlogPosting", "headline": "Frigate delivered", "datePublished": "2025-07-09T08:00Z"}
    article = read({**blog, "liveBlogUpdate": [update]}, text=SENTENCE * 3)
    assert article.published_at == datetime(2025, 7, 9, 8, tzinfo=UTC)
