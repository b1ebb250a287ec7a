"""The field's nouns as plain values: no files, no network, no output.

What belongs here: digests, references, platforms, descriptors, manifests and configs, and what can
be told from them alone. What does not: where they come from and where they go.
"""
