"""Turns the bytes of a page into records that fit the schema, and loses nothing.

Read the modules in this order:

- `schema`: the fields of a record.
- `pages`: the ids, versions and leads in the bytes of a page; `repair` rewrites malformed JSON.
- `convert`: leads become records. Nearly all leads fit the schema, and `decoder` decodes them at
  once, into structs that `lead_record` defines. `values` converts the others value by value, and
  `misfits` counts the values that do not fit.
- `selection` and `flatten`: what a single output stream contains of a record.

This package knows nothing of HTTP, retries or the SDK, apart from the SDK's types for schemas.
"""
