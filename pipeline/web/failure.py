"""Why an exchange gave no usable response: the countable reasons, and the exception that carries one inside web/."""

from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """The short cause that is stored and counted."""

    BAD_URL = "bad-url"
    BAD_REQUEST = "bad-request"  # a header that HTTP cannot carry
    ADDRESS_REFUSED = "address-refused"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"
    TRUNCATED = "truncated"  # the connection ended before the response did
    PROTOCOL = "protocol"
    BAD_ENCODING = "bad-encoding"
    BAD_REDIRECT = "bad-redirect"
    REDIRECT_LOOP = "redirect-loop"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    HOST_RESTING = "host-resting"
    ROBOTS_DISALLOWED = "robots-disallowed"
    ROBOTS_UNREACHABLE = "robots-unreachable"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later; certificates are renewed, so TLS counts as passing."""
        return self in _PASSING


_PASSING = frozenset(
    {
        Reason.DNS,
        Reason.CONNECT,
        Reason.TLS,
        Reason.PROXY,
        Reason.TIMEOUT,
        Reason.TOO_SLOW,
        Reason.TRUNCATED,
        Reason.PROTOCOL,
        Reason.HOST_RESTING,
        Reason.ROBOTS_UNREACHABLE,
    }
)


class Failed(Exception):  # noqa: N818 - it ends an exchange; `Web.send` adds the URL and makes it a WebError
    """An exchange ended without a usable response."""

    def __init__(self, reason: Reason, detail: str = "", *, retry_at: datetime | None = None) -> None:
        super().__init__(f"{reason} ({detail})" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.retry_at = retry_at
