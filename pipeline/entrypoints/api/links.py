"""The Link header of a page of a result (RFC 8288): where it begins, and the page that follows."""

from fastapi import Request, Response


def set_links(request: Request, response: Response, following: str | None) -> None:
    """Say where the first page is, and the next one by its cursor; None: this is the last."""
    links = {"first": request.url.remove_query_params("cursor")}
    if following:
        links["next"] = request.url.include_query_params(cursor=following)
    response.headers["Link"] = ", ".join(
        f'<{url.path}{url.query and "?" + url.query}>; rel="{rel}"' for rel, url in links.items()
    )
