"""What an alert says: JSON for webhooks, mrkdwn for Slack, plain text for e-mail."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from pipeline.entrypoints.output import plain, printable, rfc3339
from pipeline.query import Term, snippet
from pipeline.store import Alert, Found

LONGEST_TITLE = 300  # characters
_FIELDS = ("id", "url", "title", "site", "feed", "published_at", "lang", "label", "score", "topics", "countries")
SIGNATURE = "Defnews-Signature"


def webhook(alert: Alert, found: Sequence[Found], terms: Term | None) -> bytes:
    """The JSON body; `id` is the same however often it is sent."""
    articles = [
        {name: plain(getattr(article, name)) for name in _FIELDS} | {"snippet": snippet(article.text, terms, ("", ""))}
        for article in found
    ]
    about = {"id": alert.id, "saved_search": alert.saved.name, "query": alert.saved.words}
    told = {**about, "made_at": rfc3339(alert.made_at), "attempt": alert.attempts, "articles": articles}
    return json.dumps(told, ensure_ascii=False).encode(errors="replace")


def signature(secret: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The header that proves who sent a body, and when: t=SECONDS,v1=HEX of HMAC-SHA256 over `SECONDS.BODY`."""
    seconds = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {SIGNATURE: f"t={seconds},v1={digest}"}


def slack(alert: Alert, found: Sequence[Found]) -> bytes:
    """A message with a line for each article; its title is the link."""
    lines = [f"*{_mrkdwn(_headline(alert, found))}*"]
    for article in found:
        link = article.url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C")
        about = f"{article.site}, {rfc3339(article.published_at)}"
        lines.append(f"• <{_mrkdwn(link)}|{_mrkdwn(_title(article))}> ({_mrkdwn(about)})")
    body: dict[str, Any] = {"text": "\n".join(lines), "unfurl_links": False}
    return json.dumps(body, ensure_ascii=False).encode(errors="replace")


def email(alert: Alert, found: Sequence[Found], sender: str) -> EmailMessage:
    """A plain-text mail; its Message-ID is the same however often it is sent."""
    message = EmailMessage()
    message["Subject"] = _headline(alert, found)
    message["From"] = sender
    message["To"] = alert.saved.targets["email"]
    message["Message-ID"] = f"<alert-{alert.id}-{int(alert.made_at.timestamp())}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    parts = [f"{_title(a)}\n{a.url}\n{a.site}, {rfc3339(a.published_at)}, {a.label} {a.score:.2f}" for a in found]
    message.set_content("\n\n".join(parts) + "\n")
    return message


def _headline(alert: Alert, found: Sequence[Found]) -> str:
    count = f"{len(found)} new article" + ("" if len(found) == 1 else "s")
    return f"{' '.join(printable(alert.saved.name).split())}: {count}"


def _title(article: Found) -> str:
    """The title on one line."""
    return " ".join(printable(article.title[:LONGEST_TITLE]).split()) or article.url


def _mrkdwn(text: str) -> str:
    """Foreign text that neither links nor calls anybody.

    Source:
        Slack API, "Formatting text for app surfaces", escaping.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
