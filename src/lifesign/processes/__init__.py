"""Other processes: disposable children of ours, and what /proc tells of anyone. Not here: what is wanted of them."""
