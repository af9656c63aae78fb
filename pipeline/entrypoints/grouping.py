"""Stories -> how rare terms are, and the judge of stories: `python -m pipeline.entrypoints.grouping TRAINING DATA`.

TRAINING is our folder `training`, DATA holds the third-party sets whose texts are counted. Writes `rarity.npz` and
`belonging.npz` into the package, where `pipeline.stages.story` reads them. Needs the extra defnews[train].
"""

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from pipeline.entrypoints.training import item_rows
from pipeline.model import Article, DateOrigin
from pipeline.stages import tag
from pipeline.stages.story.fit import Report, fit
from pipeline.stages.story.sketches import READ, sketched
from pipeline.stages.story.terms import ENGLISH, Rarity, counted, read

COUNTED = (
    "train_wiki", "dev_wiki2019", "wiki2020", "unlabelled_wiki", "nyt_cap", "aux_agnews", "aux_bbc", "aux_dvids",
)  # fmt: skip

NEAR_MISSES = "near-misses"  # the file of stories that were written to be mistaken for one another


def texts(training: Path, data: Path) -> Iterator[tuple[str, str]]:
    """The texts of which terms are counted, each with its language."""
    for name in COUNTED:
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                yield f"{row.get('title') or ''}\n{(row.get('text') or '')[:READ]}", ENGLISH
    for path in sorted((training / "items").glob("??.tsv")):
        for row in item_rows(path):
            yield f"{row['title']}\n{row['text']}", path.stem


def reports(path: Path, rarity: Rarity) -> list[Report]:
    """The reports of the stories in a file, in the order of their publication."""
    tagger = tag.load()
    found = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        published_at = datetime.fromisoformat(row["at"])
        url = f"https://{row['domain']}/"
        lang = row.get("lang", ENGLISH)
        article = Article(url, url, row["title"], row["text"], published_at, DateOrigin.PAGE, "ours@1", lang=lang)
        countries = tagger.tag(article).countries
        known = sketched((row["title"], row["text"]), lang, countries, published_at, rarity)
        found.append(Report(row["story"], known, path.stem == NEAR_MISSES))
    return sorted(found, key=lambda report: report.sketch.published_at)


def main(training: Path, data: Path) -> None:
    """Train both files of the package anew."""
    with as_file(files("pipeline.stages.story")) as package:
        counted(texts(training, data)).write(package / "rarity.npz")
        rarity = read(package / "rarity.npz")
        paths = sorted((training / "stories").glob("*.jsonl"))
        fit([report for path in paths for report in reports(path, rarity)]).write(package / "belonging.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
