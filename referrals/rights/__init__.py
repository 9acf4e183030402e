"""What a person can have of their own: all of it as a file, and an end to it.

`contents` says which fields belong to somebody and go into their file, `export` hands it out,
`erasure` ends it as far as the law lets it, `retention` says how long everything else is kept.
docs/rights.md tells the whole story.
"""
