"""The crash-safe write path of a process.

A logging call appends a record to a memory-mapped file and returns; a writer thread applies the
records to the store in batches, each with the position up to which it got, so that a replay after
any crash is exactly-once. See `format.py` for the bytes.
"""
