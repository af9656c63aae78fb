"""The map: its outlines, its shades, where its countries lead."""

import re

import httpx
import pytest

from pipeline.entrypoints.pages.world import outlines, shades
from pipeline.entrypoints.shapes import main, paths, projected
from pipeline.query.countries import COUNTRIES


async def test_the_map_shows_how_many_articles_involve_a_country_and_leads_to_them(client: httpx.AsyncClient) -> None:
    page = (await client.get("/countries?q=jeju")).text
    link, number = re.findall(r'<a href="([^"]*country=KR)" aria-label="South Korea: (\d+)"', page)[0]
    assert f"<b>{number}</b> article" in (await client.get(link.replace("&amp;", "&"))).text
    assert (await client.get("/countries?q=OR")).status_code == 422


def test_the_outlines_are_of_countries_that_can_be_asked_for() -> None:
    assert set(outlines()) <= COUNTRIES
    assert len(outlines()) > 170


@pytest.mark.parametrize("counted", [{}, {"US": 1}, {"US": 1000, "KR": 30, "MT": 1}])
def test_more_articles_are_never_lighter(counted: dict[str, int]) -> None:
    found = shades(counted)
    assert all(1 <= shade <= 5 for shade in found.values())
    assert sorted(counted, key=counted.__getitem__) == sorted(found, key=lambda code: (found[code], counted[code]))


def test_the_corners_of_the_world_are_in_the_picture() -> None:
    assert (projected(0, 0), projected(-180, 0)[0], projected(180, 0)[0]) == ((487, 237), 0, 974)


def test_neighbours_share_a_border_and_a_ring_is_closed() -> None:
    topology = {
        "transform": {"scale": [10, 10], "translate": [0, 0]},
        "arcs": [[[1, 0], [0, 2]], [[1, 2], [2, 0], [0, -2], [-2, 0]], [[1, 2], [-1, 0], [0, -2], [1, 0]]],
        "objects": {
            "countries": {
                "geometries": [
                    {"type": "Polygon", "id": "410", "properties": {"name": "A"}, "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "properties": {"name": "Kosovo"}, "arcs": [[[2, 0]], [[~0, ~2]]]},
                    {"type": "Polygon", "id": "010", "properties": {"name": "Antarctica"}, "arcs": [[0]]},
                ]
            }
        },
    }
    found = paths(topology)
    assert list(found) == ["KR", "XK"]
    assert found["KR"].count("M") == 1
    assert found["XK"].count("z") == 2


def test_another_file_is_refused() -> None:
    assert main(__file__, "/dev/null") == 1
