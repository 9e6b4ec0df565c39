"""Backtesting: what was recorded, led through another config. The core decides; nothing is looked at or done."""
