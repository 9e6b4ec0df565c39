"""Backtests: the same config decides the same, and another one what can be worked out by hand."""
