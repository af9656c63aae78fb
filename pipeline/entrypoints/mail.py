"""E-mail by SMTP: the standard library's client, in a thread."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

from pipeline.errors import AlertError
from pipeline.settings.sections import AlertsSettings


async def send(message: EmailMessage, settings: AlertsSettings) -> None:
    """Hand a mail to the server of the settings; returns when it has taken it.

    Raises:
        AlertError: it has not.
    """
    try:
        await asyncio.to_thread(_send, message, settings)
    except smtplib.SMTPRecipientsRefused as e:
        code = next(iter(e.recipients.values()))[0]
        raise AlertError(settings.smtp_host, f"smtp-{code}", retryable=True) from e
    except smtplib.SMTPResponseException as e:
        raise AlertError(settings.smtp_host, f"smtp-{e.smtp_code}", retryable=True) from e
    except TimeoutError as e:
        raise AlertError(settings.smtp_host, "timeout", retryable=True) from e
    except (smtplib.SMTPException, OSError, UnicodeError) as e:  # the last: a name that DNS or a login cannot carry
        raise AlertError(settings.smtp_host, "smtp", detail=str(e), retryable=True) from e


def _send(message: EmailMessage, settings: AlertsSettings) -> None:
    tls = ssl.create_default_context()
    where = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=settings.timeout_s, context=tls)
    else:
        server = smtplib.SMTP(*where, timeout=settings.timeout_s)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=tls)
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(message)
