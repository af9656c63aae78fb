"""`python -m pipeline.entrypoints.shapes countries-110m.json pipeline/ui/world.tsv`: the map of the pages, made again.

Reads the TopoJSON of the npm package world-atlas 2.0.2 (Natural Earth 4.1, public domain, 1:110 million), whose hash is
checked, and writes a line a country: its code and its outline as an SVG path.

Source:
    Savric, Patterson & Jenny, "The Equal Earth map projection", IJGIS 2018.
    TopoJSON: github.com/topojson/topojson-specification, sections 2.1.4 and 2.2.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

SHA256 = "2516c915867c7baf18ddec727aec46c315541a07cfb3d79a6559b05d5e94eee8"
SCALE = 180  # units of the picture for one of the projection: 974 x 444
FACTORS = (1.340264, -0.081106, 0.000893, 0.003796)
WITHOUT = ("010", "260")  # Antarctica and islands about it
UNNUMBERED = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}  # drawn with the country that ISO counts them to
_NUMBERS = """
    004 AF 008 AL 012 DZ 024 AO 031 AZ 032 AR 036 AU 040 AT 044 BS 050 BD 051 AM 056 BE 064 BT 068 BO 070 BA 072 BW
    076 BR 084 BZ 090 SB 096 BN 100 BG 104 MM 108 BI 112 BY 116 KH 120 CM 124 CA 140 CF 144 LK 148 TD 152 CL 156 CN
    158 TW 170 CO 178 CG 180 CD 188 CR 191 HR 192 CU 196 CY 203 CZ 204 BJ 208 DK 214 DO 218 EC 222 SV 226 GQ 231 ET
    232 ER 233 EE 238 FK 242 FJ 246 FI 250 FR 262 DJ 266 GA 268 GE 270 GM 275 PS 276 DE 288 GH 300 GR 304 GL 320 GT
    324 GN 328 GY 332 HT 340 HN 348 HU 352 IS 356 IN 360 ID 364 IR 368 IQ 372 IE 376 IL 380 IT 384 CI 388 JM 392 JP
    398 KZ 400 JO 404 KE 408 KP 410 KR 414 KW 417 KG 418 LA 422 LB 426 LS 428 LV 430 LR 434 LY 440 LT 442 LU 450 MG
    454 MW 458 MY 466 ML 478 MR 484 MX 496 MN 498 MD 499 ME 504 MA 508 MZ 512 OM 516 NA 524 NP 528 NL 540 NC 548 VU
    554 NZ 558 NI 562 NE 566 NG 578 NO 586 PK 591 PA 598 PG 600 PY 604 PE 608 PH 616 PL 620 PT 624 GW 626 TL 630 PR
    634 QA 642 RO 643 RU 646 RW 682 SA 686 SN 688 RS 694 SL 703 SK 704 VN 705 SI 706 SO 710 ZA 716 ZW 724 ES 728 SS
    729 SD 732 EH 740 SR 748 SZ 752 SE 756 CH 760 SY 762 TJ 764 TH 768 TG 780 TT 784 AE 788 TN 792 TR 795 TM 800 UG
    804 UA 807 MK 818 EG 826 GB 834 TZ 840 US 854 BF 858 UY 860 UZ 862 VE 887 YE 894 ZM
"""  # of ISO 3166-1, with its codes
_EACH = iter(_NUMBERS.split())
CODES = dict(zip(_EACH, _EACH, strict=True))
WEST = -180.001
Place = tuple[float, float]  # longitude, latitude
Point = tuple[int, int]


def projected(longitude: float, latitude: float) -> Point:
    """Where a place is in the picture, which begins in the upper left corner."""
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    a, b, c, d = FACTORS
    slope = 9 * d * theta**8 + 7 * c * theta**6 + 3 * b * theta**2 + a
    x = 2 * sqrt(3) * radians(longitude) * cos(theta) / (3 * slope)
    y = d * theta**9 + c * theta**7 + b * theta**3 + a * theta
    return round(SCALE * (x + 2.7066)), round(SCALE * (1.3173 - y))


def paths(topology: dict[str, Any]) -> dict[str, str]:
    """The outline of each country, by its code."""
    arcs = [_arc(arc, topology["transform"]) for arc in topology["arcs"]]
    found: dict[str, str] = {}
    for shape in topology["objects"]["countries"]["geometries"]:
        if shape.get("id") in WITHOUT:
            continue
        code = UNNUMBERED.get(shape["properties"]["name"]) or CODES[shape["id"]]
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        rings = [_ring(ring, arcs) for polygon in polygons for ring in polygon]
        found[code] = found.get(code, "") + "".join(_path(ring) for ring in rings if len(ring) > 2)
    return dict(sorted(found.items()))


def _arc(arc: Sequence[Sequence[int]], transform: dict[str, Sequence[float]]) -> list[Place]:
    (width, height), (west, south) = transform["scale"], transform["translate"]
    places = accumulate(arc, lambda at, step: [at[0] + step[0], at[1] + step[1]])
    return [(x * width + west, y * height + south) for x, y in places]


def _ring(numbers: Sequence[int], arcs: Sequence[Sequence[Place]]) -> list[Point]:
    """A closed line from its pieces; a number below zero is the piece of ~number, backwards."""
    places = _whole([place for n in numbers for place in (arcs[n] if n >= 0 else arcs[~n][::-1])])
    points = [projected(*place) for place in places]
    return [point for before, point in pairwise([(-1, -1), *points]) if point != before][:-1]


def _whole(ring: Sequence[Place]) -> list[Place]:
    """A ring that crosses the antimeridian goes on east of it."""
    found = [ring[0]]
    for longitude, latitude in ring[1:]:
        found.append((longitude - 360 * round((longitude - found[-1][0]) / 360), latitude))
    turn = 360 if min(found)[0] < WEST else 0
    return [(longitude + turn, latitude) for longitude, latitude in found]


def _path(ring: Sequence[Point]) -> str:
    (x, y), *_ = ring
    steps = (f"{after[0] - before[0]} {after[1] - before[1]}" for before, after in pairwise(ring))
    return f"M{x} {y}l{' '.join(steps).replace(' -', '-')}z"


def _lines(given: bytes) -> Iterator[str]:
    yield "# Outlines of countries from Natural Earth 4.1 (public domain), made by pipeline/entrypoints/shapes.py.\n"
    for code, path in paths(json.loads(given)).items():
        if path:
            yield f"{code}\t{path}\n"


def main(source: str, target: str) -> int:
    """Make the map; returns the exit code."""
    given = Path(source).read_bytes()
    if hashlib.sha256(given).hexdigest() != SHA256:
        sys.stderr.write(f"{source} is not countries-110m.json of world-atlas 2.0.2\n")
        return 1
    Path(target).write_text("".join(_lines(given)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
