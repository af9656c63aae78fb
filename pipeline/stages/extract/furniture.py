"""Words -> counts of those that furniture is made of: pleas, credits, rights, dates, bylines, "read also".

They are hints to the forest, no rules: an article about newsletters keeps its paragraphs by all else that speaks for
them.
"""

import re
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

LONGEST = 400  # characters; a longer block is no furniture
_WORDS = {
    "signup": """newsletter newsletters inbox subscribe subscribed subscriber subscribers subscription sign signup
        briefing abonnieren abonnement abonnez inscrivez suscríbete suscribirse suscripción boletín iscriviti abbonati
        assine inscreva nieuwsbrief abonneer prenumerera nyhetsbrev nyhedsbrev tilmeld uutiskirje zapisz odběr bülten
        abone подписаться подпишитесь подписывайтесь рассылку підпишіться підписуйтесь hírlevél εγγραφή newslettera""",
    "also": """also read more related recommended lire aussi lisez lesen auch mehr weiterlesen lea leer también leggi
        anche leia também czytaj również także więcej читайте также
        також подробнее lees ook läs också
        mer les også læs lue myös oku číst také olvassa δείτε επίσης""",
    "rights": """copyright rights reserved reproduction permission reservados derechos rechte vorbehalten droits
        réservés diritti riservati direitos prawa zastrzeżone rechten voorbehouden права защищены захищені""",
    "moment": """published updated modified posted january february march april june july august september october
        november december veröffentlicht aktualisiert stand uhr publié mis modifié publicado actualizado pubblicato
        aggiornato atualizado gepubliceerd bijgewerkt opublikowano aktualizacja опубликовано обновлено опубліковано""",
    "credit": """photo photos photograph photographer image images picture courtesy getty reuters afp epa shutterstock
        unsplash istock credit foto fotos bild quelle crédit photographie imagen archivo immagine zdjęcie фото""",
    "byline": """by author authors written writer reporter editor contributor contributed biography von autor autorin
        redaktion par auteur rédaction por redacción redazione redazionale door redactie автор редакция""",
    "consent": """cookies cookie privacy consent javascript browser preferences datenschutz einwilligung confidentialité
        privacidad prywatności конфиденциальности""",
    "social": """share follow facebook twitter instagram whatsapp telegram linkedin youtube tiktok
        comment comments reply
        log login register account donate donation membership teilen folgen kommentare partager commentaires compartir
        comentarios condividi udostępnij komentarze поделиться комментарии advertisement advertising sponsored anzeige
        werbung publicité publicidad pubblicità reklama реклама""",
    "notice": """affiliate commission disclosure disclaimer advice purposes informational opinions endorse endorsement
        liability terms conditions haftung advertiser""",
}  # fmt: skip
GROUPS = tuple(_WORDS)
_PLACES = {word: place for place, words in enumerate(_WORDS.values()) for word in words.split()}
_KNOWN = frozenset(_PLACES)
_NONE: frozenset[str] = frozenset()
_WORD = re.compile(r"\w+")
_ASCII = bytes(code if code < 128 and _WORD.match(chr(code)) else ord(" ") for code in range(256))


def words_of(text: str) -> Set[str]:
    """The different words of a text; none of a long one, which is no furniture."""
    if len(text) > LONGEST:
        return _NONE
    folded = text.casefold()
    if folded.isascii():  # the same, in a third of the time
        return set(folded.encode().translate(_ASCII).decode().split())
    return set(_WORD.findall(folded))


def alike(words: Set[str], others: Set[str]) -> float:
    """How alike two texts are by their words, in [0, 1]."""
    common = len(words & others)
    return float(common / (len(words) * len(others)) ** 0.5) if common else 0.0


def number_of(group: str, words: Set[str]) -> int:
    """How many different words of a group are among the words."""
    return sum(GROUPS[_PLACES[word]] == group for word in words & _KNOWN)


def said(words: Sequence[Set[str]]) -> NDArray[np.float32]:
    """How many different words of each group are among the words of each text: (groups, texts)."""
    found = np.zeros((len(GROUPS), len(words)), np.float32)
    for at, own in enumerate(words):
        for word in own & _KNOWN:
            found[_PLACES[word], at] += 1
    return found
