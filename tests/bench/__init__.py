"""What lifesign costs and how fast it tells, beside Monit: `python -m tests.bench [--quick] [--readme] [part…]`."""
