"""Restarting what does not work: one module a method. Not here: whether and when (the governor's business)."""
