"""Turns the bytes of a page into records that fit the schema, and loses nothing.

Owns the schema and the conversion of every value. Must not know where a page comes from: no HTTP,
no retries, no SDK beyond its types for schemas.
"""
