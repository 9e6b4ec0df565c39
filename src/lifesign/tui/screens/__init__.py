"""The screens: each is given snapshots and routes keys to its widgets."""
