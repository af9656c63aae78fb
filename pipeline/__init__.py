"""defnews: from a feed to a searchable verdict.

The flow is Feed -> Entry -> Page -> Article -> Verdict -> search; imports point down this list only.

    __main__.py    python -m pipeline
    entrypoints/   what people and machines start: commands, daemon and its parts, backfill, page, API, demo
    ui/            templates, style and scripts of the pages
    polling.py     the flow's first half: feed -> entries
    pushing.py     hubs that push feeds to us: subscriptions, and what is delivered
    ingest.py      its second half: entry -> article -> verdict
    fetching.py    of that, entry -> page -> article; only these four know the stages
    engine.py      what they work with
    settings/      TOML and environment -> Settings; the feed list
    web/           Request -> Response: politely, within limits, to public addresses only
    compute/       a process pool that ends what hangs and survives what kills
    store/         SQLite or PostgreSQL: what is due, what was found, search
    queue/         lanes of work and what nudges them: a ticker, or procrastinate from another machine
    archives/      where the past is found: feeds and what they link to, sitemaps, GDELT, web archives, WARCs, lists
    query/         the query language: text -> Query
    stages/        pure steps: poll, choose, parse, fetch, follow, substitute, extract, remember, tag, classify, story
    urls.py        one spelling for every URL
    backoff.py     when to try again
    model.py       the values that flow
    errors.py      every expected error, as a tree
    clock.py       the time, as an argument
    newsroom/      a simulated internet with known truth, for the demo, the tests and the benchmarks
"""
