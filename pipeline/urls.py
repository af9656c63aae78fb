"""One spelling for every URL, and the names under which hosts and sites are counted.

The canonical URL is an identity: it is compared, stored and shown, but what is fetched is always the link as given.
It therefore writes http and https alike where both are the same site (a public host name on its default port), and
keeps the scheme where it tells services apart (another port, an IP address, a single label).

AMP spellings are folded only by rules that hold for every site: the viewer and cache URLs of Google and Bing are
unwrapped, and a trailing `/amp`, `.amp`, `?amp` or `?outputType=amp` goes. An `amp.` host and a leading `/amp/` stay:
their rewriting differs from site to site, and such pages name their origin in `rel=canonical`.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from urllib.parse import quote, urljoin

import idna
from publicsuffixlist import PublicSuffixList

LONGEST_URL = 2000  # characters; what browsers of all times and an index row of PostgreSQL bear
LONGEST_HOST = 253  # characters, RFC 1035 section 2.3.4 without the root

_DEFAULT_PORTS = {"http": 80, "https": 443}

_SPLIT = re.compile(r"(https?)://([^/?#\\]*)(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_USUAL = re.compile(r"https?://(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}(?:/[!-~]*)?")  # needs no closer look to be a URL
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:.*@)?(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+?)\.?(?::([0-9]{0,5}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LABELS = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # an IPv4 address, or a disguise of one
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_PLAIN = re.compile(r"[A-Za-z0-9\-._~/:@!$&'()*+,;=?]*")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_AMP_VIEWER = re.compile(
    r"(?:(?:www\.)?(?:google(?:\.[a-z]{2,3}){1,2}|bing\.com)/amp"
    r"|(?:[^/]+\.)?(?:cdn\.ampproject\.org|bing-amp\.com)/[cv])/(s/)?([^/]+\..+)"
)
_LIKE_ARTICLE = re.compile(r"[-_.0-9]")  # in the name of an article, not of a section
_AMP_QUERY = frozenset({"amp", "amp=", "amp=1", "amp=true", "outputtype=amp"})

# Parameters that tell who sent a reader, never what is read. Names that some sites also use for their articles (`id`,
# `p`, `aid`, `cid`, `idxno`, `ref`, `source`, `src`, `from`) are left alone.
_PLATFORMS = """
    gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid _ga _gl msclkid fbclid fb_action_ids
    fb_action_types fb_ref fb_source igshid igsh mibextid twclid ref_src ref_url __twitter_impression ttclid li_fat_id
    epik rdt_cid sccid yclid ysclid _openstat spm amp_js_v amp_gsa amp_r usqp aoh
"""
_NEWSLETTERS = """
    mc_cid mc_eid mc_tc mkt_tok vero_id vero_conv oly_enc_id oly_anon_id _kx ml_subscriber ml_subscriber_hash dm_i
    ck_subscriber_id s_cid s_kwcid ef_id sc_cid sc_campaign sc_channel trk_contact trk_msg trk_module trk_sid
    elqtrackid elqtrack elqaid elqat elqcampaignid wickedid rb_clickid
"""
_PUBLISHERS = """
    cmpid icid intcid intcmp ocid ncid smid smtyp xtor wt_mc wt_mc_id wtmc sref ns_campaign ns_mchannel ns_source
    ns_linkname ns_fee guccounter guce_referrer guce_referrer_sig soc_src soc_trk tsrc sh_kit tpcc ito
"""
_TRACKING = frozenset(f"{_PLATFORMS} {_NEWSLETTERS} {_PUBLISHERS}".split())
_PREFIXES = """
    utm_ mtm_ matomo_ piwik_ pk_campaign pk_kwd pk_medium pk_source hsa_ _hs __hs hscta itm_ bsft_ wt.
    at_medium at_campaign at_custom at_link at_ptr at_bbc at_format
"""
_TRACKING_PREFIXES = tuple(_PREFIXES.split())


@dataclass(frozen=True, slots=True)
class _Parts:
    """A URL taken apart, each part normalised on its own."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def has_default_port(self) -> bool:
        return self.port == _DEFAULT_PORTS[self.scheme]

    @property
    def is_public_name(self) -> bool:
        return "." in self.host and not _is_address(self.host)

    def __str__(self) -> str:
        port = "" if self.has_default_port else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.host}{port}{self.path}{query}"


def absolute_url(url: str, base: str | None = None) -> str | None:
    """A link as given, joined to its base and stripped of surrounding space.

    Returns:
        None when it is no http(s) URL with a host, or holds control characters.
    """
    text = _joined(url, base)
    if text is None or (len(text) <= LONGEST_HOST and _USUAL.fullmatch(text)):
        return text
    return text if _parts(text) is not None else None


def canonical_url(url: str, base: str | None = None) -> str | None:
    """Our one spelling of a URL: idempotent, never raises.

    Returns:
        None when it is no http(s) URL with a host, holds control characters or is longer than `LONGEST_URL`.

    Source:
        RFC 3986 section 6.2.2 (case, percent-encoding, dot segments) and 6.2.3 (default port, empty path).
    """
    text = _joined(url, base)
    parts = _parts(text) if text is not None else None
    if parts is None:
        return None
    while (origin := _behind_viewer(parts)) is not None:
        parts = origin
    parts = replace(parts, path=_without_amp(parts.path), query=_without_tracking(parts.query))
    if parts.scheme == "http" and parts.has_default_port and parts.is_public_name:
        parts = replace(parts, scheme="https", port=_DEFAULT_PORTS["https"])
    canonical = str(parts)
    return canonical if len(canonical) <= LONGEST_URL else None


@lru_cache(1_024)  # each of a feed's few URLs is asked for several times in a poll
def host_key(url: str) -> str:
    """The key of everything that is kept per host: `host:port`, the default port filled in.

    Raises:
        ValueError: it is no http(s) URL with a host.
    """
    parts = _checked(url)
    return f"{parts.host}:{parts.port}"


def site(url: str) -> str:
    """The registered domain of a URL; shared hosting counts each customer as a site of its own.

    Returns:
        An IP address or a single label: itself, with `:port` unless it is the scheme's default.

    Raises:
        ValueError: it is no http(s) URL with a host.

    Source:
        publicsuffix.org, both sections.
    """
    parts = _checked(url)
    if parts.is_public_name:
        return _registered_domain(parts.host)
    return parts.host if parts.has_default_port else f"{parts.host}:{parts.port}"


def same_site(a: str, b: str) -> bool:
    """Whether two URLs belong to one registered domain; False when either is no http(s) URL."""
    try:
        return site(a) == site(b)
    except ValueError:
        return False


def _joined(url: str, base: str | None) -> str | None:
    text = url.strip()
    if len(text) > LONGEST_URL or _CONTROL.search(text):
        return None
    if base is None or _ABSOLUTE.match(text):
        return text
    try:
        return urljoin(base, text)
    except ValueError:
        return None


def _checked(url: str) -> _Parts:
    text = _joined(url, None)
    parts = _parts(text) if text is not None else None
    if parts is None:
        raise ValueError(f"no http(s) URL with a host: {url[:200]!r}")
    return parts


def _parts(url: str) -> _Parts | None:
    split = None if _CONTROL.search(url) else _SPLIT.fullmatch(url)
    authority = _AUTHORITY.fullmatch(split[2]) if split else None
    if split is None or authority is None:
        return None
    scheme = split[1].lower()
    host = _host(authority[1])
    port = int(authority[2] or _DEFAULT_PORTS[scheme])
    if host is None or not 0 < port < 65536:
        return None
    path = _without_dot_segments(_percent_normalised(split[3] or "/"))
    return _Parts(scheme, host, port, path, _percent_normalised(split[4] or ""))


@lru_cache(maxsize=4096)
def _host(name: str) -> str | None:
    if len(name) > LONGEST_HOST:
        return None
    try:
        if name.startswith("["):
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii").removesuffix(".")
        if _NUMERIC.fullmatch(host):
            return str(ipaddress.IPv4Address(host))
    except ValueError:  # idna.IDNAError and ipaddress.AddressValueError are both of this kind
        return None
    return host if _LABELS.fullmatch(host) and len(host) <= LONGEST_HOST else None


def _is_address(host: str) -> bool:
    return host.startswith("[") or _NUMERIC.fullmatch(host) is not None


def _percent_normalised(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return _ESCAPE.sub(_normal_escape, quote(text, safe="%/:@!$&'()*+,;=?"))


def _normal_escape(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "%25"
    char = chr(int(escape[1], 16))
    return char if char in _UNRESERVED else f"%{escape[1].upper()}"


def _without_dot_segments(path: str) -> str:
    if "/." not in path:
        return path
    *folders, last = path.split("/")[1:]
    kept: list[str] = []
    for segment in [*folders, "" if last in {".", ".."} else last]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-2:-1]
    return "/" + "/".join(kept)


def _behind_viewer(parts: _Parts) -> _Parts | None:
    viewer = _AMP_VIEWER.fullmatch(parts.host + parts.path)
    if viewer is None:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return _parts(f"{'https' if viewer[1] else 'http'}://{viewer[2]}{query}")


def _without_amp(path: str) -> str:
    end = "/" if path.endswith("/") else ""
    segments = path.removesuffix("/").split("/")
    while (shorter := _one_amp_less(segments, end)) != segments:
        segments = shorter
    return "/".join(segments) + end


def _one_amp_less(segments: list[str], end: str) -> list[str]:
    *folders, last = segments
    if last == "amp" and folders and _LIKE_ARTICLE.search(folders[-1]):
        return folders
    name, dot, extension = last.rpartition(".") if last.endswith((".html", ".htm")) else (last, "", "")
    stem = name.removesuffix(".amp")
    if end or stem == name or not stem.strip("."):
        return segments
    return [*folders, f"{stem}{dot}{extension}"]


def _without_tracking(query: str) -> str:
    return "&".join(part for part in query.split("&") if part and not _is_tracking(part.lower()))


def _is_tracking(part: str) -> bool:
    part = part.removeprefix("amp;")  # of a link that was escaped twice
    name = part.partition("=")[0]
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES) or part in _AMP_QUERY


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=65536)
def _registered_domain(host: str) -> str:
    return str(_suffixes().privatesuffix(host) or host)
