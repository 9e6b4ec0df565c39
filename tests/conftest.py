"""What holds for every test, whoever runs it and however busy the machine is."""

import os

from hypothesis import HealthCheck, settings

for name in ("COLUMNS", "LINES"):  # pytest-xdist exports them; a test's terminal has the size that the test gave it
    os.environ.pop(name, None)

settings.register_profile("lifesign", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lifesign")

pytest_plugins = ["tests.figures"]
