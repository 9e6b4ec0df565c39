"""A small stack of real processes that breaks in every way lifesign can tell. Not here: any judgement of it."""
