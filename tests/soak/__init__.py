"""Months of running, in short: two hundred components, faults, reloads and clients, and what the daemon uses of it."""
