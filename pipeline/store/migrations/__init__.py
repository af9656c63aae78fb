"""Alembic's migrations, one file a version; run by `store/schema.py`."""
