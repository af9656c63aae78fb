"""Names of elements, classes and ids -> groups: what the people who built a page say that a part of it is."""

import re
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_lowercase

# Group -> what a word in a class or id has to hold to put it there; with a `$` it has to be the whole word. English,
# for the most part: that is what templates are written in everywhere, whatever the language of the text.
_WORDS = {
    "article": "article artikel articulo artigo articolo haber noticia",
    "content": "content body$ bodytext text$ fulltext inhalt contenu contenido conteudo cuerpo texto fliesstext detail",
    "main": "main$ maincontent primary page$",
    "story": "story post entry news$ blog$ single press report",
    "prose": "prose wysiwyg richtext rte$ paragraph copy$ markdown formatted absatz",
    "header": "header masthead topbar hero banner top$ kopf",
    "footer": "footer foot$ bottom colophon fuss",
    "nav": "nav navi navbar navigation menu breadcrumb crumb pagination pager pagenav skip sitemap",
    "aside": "aside sidebar side rail widget secondary complementary sidenav",
    "figure": "figure figcaption caption photo image img$ picture credit bild foto legend thumb media$",
    "comment": "comment disqus reply replies respond kommentar commentaire discussion",
    "related": "related recommend more$ morefrom also popular trending latest recent next$ prev previous readnext "
    "upnext outbrain taboola teaser further similar suggest featured mostread weitere",
    "card": "card item$ tile grid listing feed$ loop archive carousel slider swiper",
    "social": "share sharing social follow facebook twitter whatsapp linkedin pinterest addtoany sharedaddy teilen",
    "ad": "ad$ ads$ advert adslot adunit promo sponsor banner$ dfp gpt$ werbung anzeige commercial affiliate",
    "signup": "newsletter subscribe subscription signup sign$ login register paywall donate donation membership cta "
    "offer abo$ join$",
    "byline": "byline author autor auteur writer contributor bio$ reporter editor profile about$ credits",
    "date": "date datetime dateline timestamp time$ published updated posted meta$ metadata info$ datum",
    "title": "title headline heading hed$ titel titre titulo überschrift",
    "tags": "tag$ tags$ tagged category categories topic keyword label cat$ taxonomy schlagwort",
    "lead": "lead lede standfirst dek$ deck$ excerpt intro summary subtitle subhead subheadline description kicker "
    "abstract vorspann chapo teasertext",
    "consent": "cookie consent gdpr privacy onetrust modal popup overlay lightbox dialog toast ccpa",
    "quote": "quote blockquote pullquote zitat tweet",
    "media": "video player audio gallery slideshow embed podcast youtube galerie",
    "table": "table infobox",
    "contents": "toc$ contents tableofcontents jump anchor",
    "tools": "print tool toolbar action button btn$ icon font$ rating rate vote like$ reading progress",
    "legal": "disclaimer copyright legal notice disclosure rights terms impressum license",
    "search": "search suche filter",
    "form": "form input field captcha",
    "event": "event calendar product price shop cart store$ buy$ deal job",
    "hidden": "hidden hide$ invisible sr$ screenreader visuallyhidden offscreen noprint collapse",
    "module": "module block$ section component region zone panel box$ elementor",
    "contact": "contact address kontakt location phone",
    "correction": "correction editornote footnote reference citation source$ fussnote",
}
_TAGS = {
    "article": "article",
    "main": "main",
    "header": "header",
    "footer": "footer",
    "nav": "nav",
    "menu": "nav",
    "aside": "aside",
    "figure": "figure",
    "figcaption": "figure",
    "caption": "figure",
    "form": "form",
    "fieldset": "form",
    "label": "form",
    "table": "table",
    "blockquote": "quote",
    "q": "quote",
    "address": "contact",
    "dialog": "consent",
    "details": "module",
    "section": "module",
    "time": "date",
    "h1": "title",
    "button": "tools",
}
GROUPS = tuple(_WORDS)
OF_TAG = {tag: 1 << GROUPS.index(group) for tag, group in _TAGS.items()}
HIDDEN = 1 << GROUPS.index("hidden")

_STEMS = tuple((word, 1 << place) for place, words in enumerate(_WORDS.values()) for word in words.split())
_WHOLE = {word[:-1]: sum(bit for other, bit in _STEMS if other == word) for word, _ in _STEMS if word.endswith("$")}
_STEM = re.compile("|".join(sorted((word for word, _ in _STEMS if not word.endswith("$")), key=len, reverse=True)))
_BITS = {stem: sum(bit for other, bit in _STEMS if other == stem) for stem, _ in _STEMS}
_SHORTEST = min(len(word) for word, _ in _STEMS if not word.endswith("$"))
_PART = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_LETTERS = bytes(code if chr(code) in ascii_lowercase else ord(" ") for code in range(256))
LONGEST = 300  # characters of a class that are read: a hostile page may have one of a megabyte


@lru_cache(maxsize=4096)
def groups_of(named: str) -> int:
    """The groups, as bits in the order of GROUPS, of a value of class, id, role or itemprop."""
    found = 0
    for part in _parts(named[:LONGEST]):
        found |= _groups_of_word(part)
    return found


def _parts(names: str) -> Iterable[str]:
    """The words that names are put together of, in lower case: `post-body bodyText` is post, body, body, text."""
    if names.isascii() and names.islower():  # as most: the same, in a fraction of the time
        return names.encode().translate(_LETTERS).decode().split()
    return (part.lower() for part in _PART.findall(names))


@lru_cache(maxsize=16384)
def _groups_of_word(word: str) -> int:
    found = _WHOLE.get(word, 0)
    if len(word) < _SHORTEST:
        return found
    for stem in _STEM.findall(word):
        found |= _BITS[stem]
    return found
