"""What a command and the processes that compute for it load when they first need it, loaded when this is imported."""

from datetime import UTC, datetime

from pipeline.model import Entry, Page
from pipeline.stages import classify
from pipeline.stages.extract import extract

TEXTS = {
    "en": "The navy took delivery of the second frigate of its class in the northern port on Friday. ",
    "fr": "La marine nationale a reçu vendredi la deuxième frégate de la série dans un port du nord du pays. ",
}


def load() -> None:
    """Read a page of each kind and judge what it says."""
    classifier = classify.load()
    at = datetime(2025, 7, 11, tzinfo=UTC)
    for lang, text in TEXTS.items():
        url = f"https://site.example/{lang}"
        body = f"<html><head><title>Frigate</title></head><body><article><p>{text * 5}</p></article></body></html>"
        classifier.classify(extract(Page(url, body.encode(), "text/html", at), Entry(url, url)))


load()
