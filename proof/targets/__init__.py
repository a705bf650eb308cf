"""Loads the same leads into many Singer targets, and compares what is there afterwards.

    python -m proof.targets

`extracts` runs the tap; `databases`, `files` and `offline` have the targets; `trial` runs one of
them, `comparison` compares, and `page` writes docs/targets.md.
"""
