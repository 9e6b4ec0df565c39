"""Alerts: what is said of an incident, to whom it goes, and that it arrives. When is decided by `core.alerting`."""
