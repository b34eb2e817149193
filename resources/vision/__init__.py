"""Adapters for pictures: engines, decoding, fingerprints, and the pool that runs them.

What crosses the border of this package are the records of `archive.faces` and the errors of
`archive.errors`; no session, decoder or image object leaves it.
"""
