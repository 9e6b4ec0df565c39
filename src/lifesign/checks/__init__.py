"""One kind of check a module. Each looks once and reports what it saw; none judges for how long it has lasted."""
