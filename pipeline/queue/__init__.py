"""What nudges the flow: the embedded engine (`lane`: work in one process; `ticker`: APScheduler)."""
