"""What the console shows, as lines of (text, role): pure functions of documents and ages, without a terminal."""
