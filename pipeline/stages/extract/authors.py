"""Bylines -> the people who wrote an article: no staff, no outlet, no roles, credentials, addresses."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import unescape
from itertools import chain, repeat

from pipeline.stages.extract import east_asian
from pipeline.stages.extract.body import line

LONGEST_NAME = 60  # characters
MOST_WORDS = 6  # in a name
MOST_AUTHORS = 20
SOON = 3  # lines or parts of lines after `By` that may hold the name
WORDS_ALONE = 4
MOSTLY_NAMES = 0.75  # of the characters of a line that lists authors
LONGEST_BYLINE = LONGEST_NAME * MOST_AUTHORS

_BY_WORDS = (
    r"by|author(?:ed by|\(s\)|s)?|(?:article|blog|content|guide|interview|originally|report(?:ed|ing)?|stor(?:y|ies)"
    r"|text|words|posted|published|written|created|contributed)(?:\s(?:and|&)\s\w+)?\sby|contributors?|writers?"
    r"|(?:écrit |publié |rédigé |propos recueillis )?par|auteure?s?|(?:escrito |publicado )?por|autor(?:en|es|a|in|ka)?"
    r"|(?:alle|mehr|weitere) (?:artikel|beiträge|texte) von"
    r"|(?:eine? (?:beitrag|bericht|gastbeitrag|kommentar|analyse|reportage) |verfasst )?von"
    r"|(?:scritto )?da|di|autore|(?:geschreven )?door|(?:skrevet |skriven )?av|(?:skrevet )?af|przez|autorzy"
    r"|opracowa(?:ła?|nie)|автор(?:ка|и|ы)?|подготовила?|підготу(?:вав|вала)|yazan|yazar|hazırlayan"
    r"|oleh|penulis|tác giả|redactor|szerző|συντάκτης|بقلم|كتبت?|الكاتبة?|نویسنده|خبرنگار|מאת|द्वारा|लेखक|लेखिका"
)
_BEFORE_A_COLON = r"te(?:xte?|kst|ksti|sto|xto)|текст|haber|إعداد|تقرير|כתבה?"  # words of everyday, else
BY = re.compile(rf"(?:{_BY_WORDS})(?:\s*:\s*|\s+|$)|(?:{_BEFORE_A_COLON})\s*:\s*", re.IGNORECASE)
_PICTURES = re.compile(  # begins who made the pictures
    r"[,;|]?\s*\b(?:fotos?|photos?|bild(?:er)?|zdjęci[ae]|fot\.|kuvat?|фото|images?|video|grafik|תמונות|צילום|تصوير)\s*:.*",
    re.IGNORECASE | re.DOTALL,
)
_AND_BEFORE_A_NAME = re.compile(  # of names of two words, in Hebrew and Arabic; names that begin so stay
    r"^(\S+\s\S+(?:\s\S+)?)\s(?:ו(?=[א-ת]{2,}\s)|و(?!ليد|ائل|سام|فاء|جدي|داد|هبة|هيب|سيم|جيه|لاء)(?=[ء-ي]{2,}\s))"
)
_ALSO_NAMES = frozenset({"af", "av", "da", "di", "von"})  # of which names begin too: Da Wei
_BETWEEN = re.compile(
    r"\s*[;|•·⋅●/]\s*|\s+[-–—]\s+|\s+(?:and|und|et|with|y|e|og|och|en|i|и|та|ve|dan|và)\s+|\s*&\s*", re.IGNORECASE
)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MORE = re.compile(r"(?<=\w)\s+(?:in|on|at|for|from|of|is|more)\s.*", re.DOTALL)  # By Jane Doe in London
_FULL_STOP = re.compile(r"(?<=\w\w)\.+$")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^]]*\]|<[^>]*>")
_QUOTES = "\"'“”«»„‘’*_·,:;-–—| "
_NO_NAME = re.compile(
    r"https?:|www\.|@|\.(?:com|org|net|edu|gov|io|co)\b|\d{3}|[<>{}=#$%?!:]|\s\d|\d\s|\d(?:st|nd|rd|th)\b",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    r"(?:[A-Z]\.?){2,6}(?:-[A-Z0-9]{1,5})?|Ph\.?\s?D\.?s?|D\.?Phil\.?|M\.?Sc\.?|B\.?Sc\.?|Ed\.?\s?D\.?|M\.?Ed\.?|Psy\.?D\.?|Pharm\.?D\.?"
    r"|Esq\.?|CFP®?|CEPF®?|RDN?|LDN?|MS|MA|MBA|CPA|RN|JD|MD|DO|DC|PT|DPT|EA|CFA|BA|BS|PMP®?|[A-Z][A-Za-z]?[A-Z]+®?"
)
_TITLE = re.compile(  # before a name: forms of address, ranks
    r"(?:(?:dr|prof|mr|mrs|ms|sir|dame|dipl|ing|mag|professor)\.?\s+"
    r"|(?:u\.?s\.?\s)?(?:army|navy|air force|marine corps|coast guard)\s(?=\w+\.\s)"
    r"|(?:(?:staff|tech|technical|master|gunnery|first|senior master|chief master|command)\.?\s)?(?:sgt\.?|sergeant)\s"
    r"(?:(?:1st|first)\sclass\s|maj(?:\.|or)\s)?"
    r"|(?:1st|2nd|first|second)\s(?:lt\.?|lieutenant)\s|lt\.?\s?(?:col|cmdr|gen|j\.?g)\.?\s|(?:rear|vice)\sadm(?:\.|iral)\s"
    r"|(?:brig|maj)\.?\sgen\.?\s|(?:lance\s)?cpl\.?\s"
    r"|(?:lt|col|maj|capt|pfc|pvt|spc|cmdr|adm|gen|ens|sra|amn|ssgt|tsgt|msgt)\.?\s"
    r"|(?:senior\s)?airman\s(?:(?:1st|first)\sclass\s)?"
    r"|(?:(?:senior\s)?chief\s)?petty officer\s(?:(?:1st|2nd|3rd)\sclass\s)?"
    r"|(?:chief\s)?mass communication specialist\s(?:(?:1st|2nd|3rd)\sclass\s|seaman\s|fireman\s)?"
    r")+(?=\S+\s)",
    re.IGNORECASE,
)
_ROLES = (  # what a person is
    r"editor|reporter|writer|correspondent|columnist|contributor|journalist|author|(?:co-?)?founder|director|manager"
    r"|president|expert|specialist|analyst|reviewer|producer|consultant|engineer|officer|ceo|cto|cmo|coo|professor|fellow"
    r"|researcher|attorney|lawyer|dietitian|nutritionist|coach|trainer|blogger|strategist|marketer|owner|partner|gardener"
    r"|redakteur(?:in)?|journaliste|rédacteur|redactora?|periodista|giornalista|redattore|journalist(?:in)?|dziennikarz"
    r"|корреспондент|обозреватель|кореспондент(?:ка)?|оглядач|журналіст(?:ка)?|журналист|muhabir|محرر|مراسل|כתב(?:ת)?"
)
_ROLE = re.compile(rf"\b(?:{_ROLES})\b", re.IGNORECASE)
_ROLE_AFTER = re.compile(  # Jane Doe, Arms and Army Editor; Jane Doe, Head of Arms and Army
    rf",\s(?:[^,;|]*\b(?:{_ROLES})|(?:head|vice president|vp) of\b[^,;|&]*)\s*(?=[,;|&]|$)", re.IGNORECASE
)
_KIND_OF = re.compile(  # begins what kind of one
    r"\s+(?:senior|chief|lead|head|staff|associate|assistant|deputy|managing|contributing|executive|guest|freelance|vice"
    r"|founding|former|digital|political|defen[cs]e|foreign|technical|tech|content|national|global|co-?)\b.*",
    re.IGNORECASE,
)
_NOBODY = re.compile(  # names of groups, of machines and of places of work
    r"\b(?:staff|team|editorial|newsroom|newsdesk|desk|news|admin(?:n|istrator)?|redaktion(?:en)?|rédaction|redacción"
    r"|redazione|redação|redacția|redakcja|redakce|redactie|редакция|редакція|press|media|office|group|inc|llc|ltd|gmbh"
    r"|corp|company|agency|association|university|institute|foundation|magazine|anonymous|anonym|unknown|webmaster"
    r"|reuters|afp|dpa|upi|bloomberg|tass|xinhua|ministry|department|center|centre|bureau|council|committee|affairs"
    r"|comments|subscribe|published|updated|posted|clinic|hospital|school|college|society|brigade|division|squadron"
    r"|battalion|regiment|embassy|directorate|headquarters|pressestelle|(?:пресс|прес)-служба|министерство|міністерство"
    r"|агентство|генштаб|تحديث|نشر|آخر|تاريخ|أخبار|وكالة|وزارة|صحيفة|قناة|المصدر|الجيش|رويترز|خبرگزاری|انتشار"
    r"|פורסם|עודכן|עדכון|אחרון|חדשות|משרד|דובר|מערכת|סוכנות)\b"
    r"|^(?:courtesy|guest|user|the|read|share|more|date|home|blog|comment|follow|view|see|all|full|about|articles?|posts?|meet"
    r"|visit|contact|join|get|learn|sign|log|my|our|your|how|why|what|top|best|link|undefined|null|none|edited|reviewed|fact)\b"
    r"|\b(?:command|the|bio|posts|articles|says|release|transcript|advisory|bulletin)$",
    re.IGNORECASE,
)
_PARTICLE = re.compile(
    r"al|ap|bin|bint|da?s?|del?|della|den|der|di|dos|du|e|el|ibn|la|le|san|st|ter|van|vo[nm]|y|zu", re.IGNORECASE
)
_GIVEN = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)?(?: [^\W\d_]\.)*|(?:[^\W\d_]\.\s?)+")
_DATED = re.compile(r"\s*(?:\b[^\W\d_]{3,9}\.?\s*)?(?<!\w)\d{1,2}(?!\w).*", re.DOTALL)  # Jane Doe December 23
_CREDIT = re.compile(  # beyond doubt, wherever it stands
    r"(?:\b(?:article|story|written) by|^about the authors?)\b(?:\s*:)?\s*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"\s+(?:is|are|was|has|writes|works|covers)\s|[.:]\s")  # Jane Doe is a reporter at
_TIME = re.compile(r"\W*\d{1,2}[:.h]\d{2}(?![\d./]).{0,12}")
_PARTS = re.compile(r"\s*[|•·⋅●]\s*|\s+[-–—]\s+")


def names(byline: str) -> tuple[str, ...]:
    """The names in a byline: `By Jane Doe and John Roe` are two, `Doe, Jane` is one."""
    byline = line(unescape(byline))
    if len(byline) > LONGEST_BYLINE:
        return ()
    if _is_east_asian(byline):
        return east_asian.named(byline)
    found: list[str] = []
    for part in _BETWEEN.split(_ROLE_AFTER.sub("", _bared(byline))):
        first, *others = part.split(",")
        pieces = [piece for piece in (_bare(first), *(_bare(one) for one in others if not _ROLE.search(one))) if piece]
        if len(pieces) == 2 and " " not in pieces[0] and _GIVEN.fullmatch(pieces[1]):
            pieces = [f"{pieces[1]} {pieces[0]}"]  # Doe, Jane
        found.extend(pieces)
    return tuple(dict.fromkeys(name for name in found if _may_be_name(name)))


def is_full(name: str) -> bool:
    """Whether a name looks like a person's: a given and a family name, or a script without capitals."""
    if not name.isascii() and not any(c.isupper() or c.islower() for c in name):
        return len(name) >= 2 if _is_east_asian(name) else " " in name
    words = [word for word in name.split() if not _PARTICLE.fullmatch(word)]
    return 2 <= len(words) <= MOST_WORDS and (all(map(_begins_name, words)) or name.islower())


def _begins_name(word: str) -> bool:
    return word[0].isupper() or word[0] in "'’"


def first_people(
    told: Iterable[Iterable[str]], hints: Iterable[Iterable[str]], is_outlet: Callable[[str], bool]
) -> tuple[str, ...]:
    """The people of the first source that names one in full; else of the first that names one at all.

    What only hints at an author is asked where nobody is told but by a nickname. A site is its own author only where it
    bears what reads as a person's name, and nobody else is named.
    """
    handles: tuple[str, ...] = ()
    itself: tuple[str, ...] = ()
    for source, is_hint in chain(zip(told, repeat(False)), zip(hints, repeat(True))):
        if is_hint and any(map(str.istitle, handles)):
            break
        found = dict.fromkeys(
            name for byline in source for name in names(byline) if name == line(byline) or not is_outlet(byline)
        )
        people = tuple(name for name in found if not is_outlet(name))[:MOST_AUTHORS]
        if any(map(is_full, people)):
            return people
        handles = handles or people
        itself = itself or tuple(filter(is_full, found))[:1]
    return itself or handles


def listed(told: tuple[str, ...], lines: Iterable[str], is_outlet: Callable[[str], bool]) -> tuple[str, ...]:
    """Whom the page tells as authors; with others, where a line below its headline lists all of these and more."""
    for part in chain.from_iterable(map(_PARTS.split, lines)):
        found = tuple(name for name in names(part) if not is_outlet(name)) if told and told[0] in part else ()
        is_list = all(map(is_full, found)) and sum(map(len, found)) >= MOSTLY_NAMES * len(part)
        if is_list and len(found) > len(told) and set(told).issubset(found):
            return found
    return told


def reconciled(told: tuple[str, ...], signed: tuple[str, ...]) -> tuple[str, ...]:
    """Whom the page tells as authors, unless the byline below its headline names only others: those who wrote."""
    known = tuple(name.casefold() for name in told)
    return told if not signed or any(name.casefold().startswith(known) for name in signed) else signed


def signed(lines: Iterable[str], title: str) -> Iterator[str]:
    """The bylines among lines that readers see: what follows `By`, on the same line or soon after it."""
    soon = 0
    for part in chain.from_iterable(map(_parts, lines)):
        if labelled := " & ".join(east_asian.signed(part)):
            yield labelled
            continue
        match = BY.match(part)
        rest = part[match.end() :] if match else part
        if (match or soon) and (people := shown(rest, title)):
            yield people
            soon = 0
        soon = SOON if match and not rest else soon - 1 if soon else 0


def standing_alone(lines: Sequence[str], title: str, is_date: Callable[[str], bool]) -> Iterator[str]:
    """What stands alone beside a date or above a role, as names do."""
    parts = [part for text in lines for part in _PARTS.split(text) if not _TIME.fullmatch(part)]
    near = {near for at, part in enumerate(parts) if is_date(part) for near in (at - 1, at + 1)}
    near |= {at for at, part in enumerate(parts[1:]) if _ROLE.search(part) and len(part.split()) <= WORDS_ALONE}
    for at, part in enumerate(parts):
        if (
            at in near
            and not _is_east_asian(part)
            and len(part.split()) <= WORDS_ALONE
            and (people := shown(part, title))
        ):
            yield people


def credited(lines: Iterable[str], title: str) -> Iterator[str]:
    """Whom a line anywhere in a page says to have written it, or the line after one that says so."""
    is_next = False
    for text in lines:
        match = _CREDIT.search(text)
        rest = text[match.end() :] if match else text
        if (match or is_next) and rest and (people := shown(_SENTENCE.split(rest, maxsplit=1)[0], title)):
            yield people
        is_next = match is not None and not rest


def shown(text: str, title: str) -> str | None:
    """The people in a text that readers see; None where there are none: it may be a heading, a link, a section."""
    known = set(title.casefold().split())
    full = (name for name in names(text) if is_full(name) and not name.islower())
    return " & ".join(name for name in full if not known.issuperset(name.casefold().split())) or None


def _is_east_asian(text: str) -> bool:
    """Whether a text is in Chinese, Japanese or Korean characters, without Latin letters beside them."""
    return bool(east_asian.IS_EAST_ASIAN.search(text)) and not any(c.isascii() and c.isalpha() for c in text)


def _parts(text: str) -> Sequence[str]:
    """The parts of a line; East Asian labels may stand behind a bar, so such a line is one."""
    return (text,) if east_asian.IS_EAST_ASIAN.search(text) else _PARTS.split(text)


def _bared(byline: str) -> str:
    """A byline without `By`, addresses, brackets and makers of pictures, two names in any language apart."""
    byline = _PICTURES.sub("", _without_by(_BRACKETS.sub(" ", _URL.sub(" ", byline))))
    return _AND_BEFORE_A_NAME.sub(r"\1 ; ", byline)


def _without_by(byline: str) -> str:
    while match := BY.match(byline):
        rest = byline[match.end() :]
        if match[0].strip().lower() in _ALSO_NAMES and len(rest.split()) < 2:
            return byline
        byline = rest
    return byline


def _bare(piece: str) -> str:
    """A name without quotes, titles, roles and credentials; empty for what is only these."""
    piece = _TITLE.sub("", _MORE.sub("", piece).strip(_QUOTES))
    if " " in piece:
        piece = _DATED.sub("", piece)
    if role := _ROLE.search(piece):
        piece = _KIND_OF.sub("", piece[: role.start()]).strip(_QUOTES)
    words = piece.split()
    while words and _CREDENTIAL.fullmatch(words[-1].strip(",")) and (len(words) > 2 or len(words[-1]) < 6):
        words.pop()
    return _FULL_STOP.sub("", " ".join(words).strip(_QUOTES))


def _may_be_name(name: str) -> bool:
    return (
        0 < len(name) <= LONGEST_NAME
        and len(name.split()) <= MOST_WORDS
        and not _NO_NAME.search(name)
        and not _NOBODY.search(name)
        and any(map(str.isalpha, name))
    )
