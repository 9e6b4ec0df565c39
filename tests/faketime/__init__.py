"""The real program in hurried time: an hour is a minute."""
