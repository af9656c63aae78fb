"""What people and machines start: the commands, the daemon, the backfill, the page; the only place that opens files."""
