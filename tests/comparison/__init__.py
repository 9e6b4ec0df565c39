"""The same faults told by lifesign, by Monit and by Supervisor, side by side: `python -m tests.comparison`."""
