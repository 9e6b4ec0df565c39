"""Faults as a library: what can go wrong with a target or with the monitor, each as one recipe.

`recipe` says what a recipe is, `recipes/` holds one module each, `families/` what several of them share, `registry`
collects them. Nothing here knows how lifesign works inside; tests, a soak and a comparison with others use the same.
"""
