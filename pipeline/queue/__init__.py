"""What nudges the flow: `lane` (work in one process), `ticker` (APScheduler), `nudges` (procrastinate)."""
