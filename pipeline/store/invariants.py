"""What must hold in every database, as queries for the rows that break it."""

from types import MappingProxyType

from sqlalchemy import text

from pipeline.store.database import Database
from pipeline.store.search_index import INDEXED

INVARIANTS = MappingProxyType(
    {
        "every article has its text, or was purged of it": """
            SELECT count(*) FROM articles a LEFT JOIN texts t ON t.article_id = a.id
            WHERE (t.article_id IS NULL) != (a.purged_at IS NOT NULL)""",
        "every article has a verdict": """
            SELECT count(*) FROM articles a WHERE NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.article_id = a.id)""",
        "every article shows what a person said of it": """
            SELECT count(*) FROM articles a JOIN labels l ON l.article_id = a.id
            WHERE l.id = (SELECT max(id) FROM labels WHERE article_id = a.id)
            AND (a.needs_review IS TRUE OR (l.label = 'yes' AND a.label != 'defense')
                OR (l.label = 'no' AND a.label != 'other'))""",
        "every text is indexed": """
            SELECT count(*) FROM texts WHERE article_id NOT IN (SELECT article_id FROM {indexed} i)""",
        "nothing but texts is indexed": """
            SELECT count(*) FROM {indexed} i WHERE article_id NOT IN (SELECT article_id FROM texts)""",
        "every article knows the facets that it is indexed with": """
            SELECT count(*) FROM articles WHERE (facets IS NULL) != (purged_at IS NOT NULL)""",
        "every article is known by its canonical URL": """
            SELECT count(*) FROM articles a LEFT JOIN urls u ON u.url = a.canonical_url AND u.article_id = a.id
            WHERE u.id IS NULL""",
        "every done entry has an outcome": """
            SELECT count(*) FROM entries WHERE state = 'done' AND outcome IS NULL""",
        "every dropped entry has a reason": """
            SELECT count(*) FROM entries WHERE outcome = 'dropped' AND reason IS NULL""",
        "every stored or duplicate entry leads to its article": """
            SELECT count(*) FROM entries e LEFT JOIN article_entries x ON x.entry_id = e.id
            WHERE e.outcome IN ('stored', 'duplicate') AND x.entry_id IS NULL""",
        "every claim belongs to a run": """
            SELECT count(*) FROM entries WHERE (state = 'claimed') != (run_id IS NOT NULL)""",
        "every story counts its reports": """
            SELECT count(*) FROM stories s WHERE s.size < 2
            OR s.size != (SELECT count(*) FROM story_members m WHERE m.story_id = s.id)""",
        "every two reports of a story are counted": """
            SELECT count(*) FROM (SELECT story_id FROM story_members GROUP BY story_id HAVING count(*) > 1) m
            LEFT JOIN stories s ON s.id = m.story_id WHERE s.id IS NULL""",
        "every feed has its state": """
            SELECT count(*) FROM feeds f LEFT JOIN feed_states s ON s.feed_id = f.id WHERE s.feed_id IS NULL""",
    }
)


async def violations(db: Database) -> list[int]:
    """How many rows break each invariant, in their order."""
    async with db.read() as c:
        queries = (text(query.format(indexed=INDEXED[db.is_sqlite])) for query in INVARIANTS.values())
        return [int((await c.execute(query)).scalar_one()) for query in queries]
