"""The bytes of a journal.

A journal is a folder ``<spool>/<writer id>/`` with the owner's ``lock`` file and numbered segment
files. A segment starts with a 64-byte header and goes on with records, each aligned to 8 bytes:

    commit word  u64   checksum << 32 | kind << 26 | payload length
    payload      padded with zeros to a multiple of 8

The checksum is the crc32 of the payload, begun with the word's low half; a segment's end and gaps
have a fixed one. Space is zero before it is written and the commit word is stored last, by one
aligned 8-byte store: a process that dies at any instruction leaves whole records, then a zero word.
Series ids count from 0 in each segment, so a segment can be read without the ones before it.

A position is ``segment number << 32 | byte offset``: it grows with every record.
"""

from __future__ import annotations

import struct

MAGIC = b"AUTOLOGJ"
VERSION = 1
HEADER_SIZE = 64
HEADER = struct.Struct("<8sII16sqq")
"""Magic, version, segment number, writer id (16 bytes), creation time in ms, size in bytes."""

LENGTH_BITS = 26
LENGTH_MASK = (1 << LENGTH_BITS) - 1
KIND_MASK = 0x3F
MAX_PAYLOAD = 8 << 20

PAD = 1
END = 2
METRIC = 3
METRICS = 4
SERIES = 5
CREATE_RUN = 6
UPDATE_RUN = 7
SET_TAGS = 8
DELETE_TAG = 9
LOG_PARAMS = 10
LOG_INPUTS = 11
CREATE_MODEL = 12
UPDATE_MODEL = 13
SET_MODEL_TAGS = 14
DELETE_MODEL_TAG = 15
LOG_MODEL_PARAMS = 16
LOG_OUTPUTS = 17
LOG_MODEL_INPUTS = 18

# What takes the checksum's place in gaps, and the whole word at a segment's end.
PAD_MARK = 0x50414421 << 32
END_WORD = 0x454E4421 << 32 | END << LENGTH_BITS

METRIC_BODY = struct.Struct("=IIqqd")
"""Series id, zero, step, timestamp in ms, value."""
METRIC_SIZE = 8 + METRIC_BODY.size
METRIC_LOW = METRIC << LENGTH_BITS | METRIC_BODY.size
"""The low half of a metric's commit word."""

METRICS_HEAD = struct.Struct("=II")
"""Number of points n, and 1 if one series id serves all, else 0.

Then the series ids u32 (1 or n, padded to 8 bytes), steps i64[n], timestamps i64[n], values f64[n].
"""

TIMED = struct.Struct("=q")
"""Every payload but those of metrics and series starts with the time in ms."""

FIELD = "\0"
"""Texts in a payload are joined by NUL, which no key and no value may hold."""


def low_word(kind: int, length: int) -> int:
    """Returns the low half of a commit word."""
    return kind << LENGTH_BITS | length


def record_size(length: int) -> int:
    """Returns how many bytes a record with a payload of `length` bytes takes."""
    return 8 + (length + 7 & ~7)


def position(segment: int, offset: int) -> int:
    """Returns the position of byte `offset` in a segment."""
    return segment << 32 | offset
