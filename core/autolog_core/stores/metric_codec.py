"""Points of a metric as bytes, and back, bit for bit.

Two layouts, told apart by the first byte, which is also the version of the format:

`ROWS`, for a few points that more will follow: each point is step, timestamp and value, 8 bytes
each, so a point is appended without reading the others.

`COLUMNS`, for the rest. Steps and timestamps are a first value, a constant difference and, where
the differences vary, what they exceed the smallest one by, in 1, 2, 4 or 8 bytes. Values are
float64, or float32 where that loses nothing. Each column is cut into planes of equal byte position
(all first bytes, all second bytes, ...); a plane is kept once if it is constant, through zlib where
that pays, and as it is otherwise. For random mantissas only the exponent's planes pay.

A CRC-32 over the layout and all that follows guards each chunk. Numbers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autolog_core.errors import CorruptStore

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

ROWS = 1
COLUMNS = 2
ROW_SIZE = 24
FEW = 16
"""Up to this many points `encode` lays out as rows."""

# kind, CRC that starts from the kind
_GUARD = struct.Struct("<BI")
# points, bytes per value, per step residual, per time residual,
# first step, step difference, first time, time difference
_COLUMNS_HEAD = struct.Struct("<IBBBqqqq")
_PLANE = struct.Struct("<I")
_MODE = 30
_RAW, _PACKED, _CONSTANT = 0, 1, 2
_SAMPLE = 1024
_WORTH = 0.9
_WIDTHS = (0, 1, 2, 4, 8)
_ROW = np.dtype([("step", "<i8"), ("time", "<i8"), ("value", "<f8")])


class Points(NamedTuple):
    """Points as columns.

    Attributes:
        steps: int64, shape (n,).
        times: int64 milliseconds since the epoch, shape (n,).
        values: float64, shape (n,).
    """

    steps: Ints
    times: Ints
    values: Floats

    def cut(self, start: int, stop: int | None = None) -> Points:
        """Returns the points from `start` to before `stop`."""
        return Points(self.steps[start:stop], self.times[start:stop], self.values[start:stop])

    def take(self, index: NDArray[np.intp]) -> Points:
        """Returns the points at `index`."""
        return Points(self.steps[index], self.times[index], self.values[index])


def encode(points: Points) -> bytes:
    """Returns `points`, at least one, as a chunk."""
    if len(points.steps) <= FEW:
        return encode_rows(points)
    return encode_columns(points)


def encode_rows(points: Points) -> bytes:
    """Returns `points` in the layout that takes more by `append_rows`."""
    payload = _rows(points)
    return _GUARD.pack(ROWS, zlib.crc32(payload, ROWS)) + payload


def append_rows(data: bytes, points: Points) -> bytes | None:
    """Returns the chunk `data` with `points` added, or None if its layout does not allow it."""
    if data[0] != ROWS:
        return None
    payload = _rows(points)
    _, crc = _GUARD.unpack_from(data)
    return b"".join((_GUARD.pack(ROWS, zlib.crc32(payload, crc)), data[_GUARD.size :], payload))


def encode_columns(points: Points) -> bytes:
    """Returns `points`, at least one, in the compressed layout."""
    first_step, step_difference, step_rest = _differences(points.steps)
    first_time, time_difference, time_rest = _differences(points.times)
    values = _narrow(points.values)
    columns = (step_rest, time_rest, values)
    body = b"".join(
        (
            _COLUMNS_HEAD.pack(
                len(points.steps),
                values.shape[1],
                step_rest.shape[1],
                time_rest.shape[1],
                first_step,
                step_difference,
                first_time,
                time_difference,
            ),
            *(part for column in columns for part in _planes(column)),
        )
    )
    return _GUARD.pack(COLUMNS, zlib.crc32(body, COLUMNS)) + body


def decode(data: bytes) -> Points:
    """Returns the points of a chunk, in the order they were given.

    Raises:
        CorruptStore: The chunk is damaged, or of a newer format.
    """
    try:
        kind, crc = _GUARD.unpack_from(data)
        if kind not in (ROWS, COLUMNS):
            raise CorruptStore(
                f"a metric chunk has format {kind}, which this version of autolog cannot read; "
                "upgrade with `pip install -U autolog-ml`"
            )
        body = memoryview(data)[_GUARD.size :]
        if zlib.crc32(body, kind) != crc:
            raise ValueError("checksum")
        return _decode_rows(body) if kind == ROWS else _decode_columns(body)
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise CorruptStore(
            f"a metric chunk of {len(data)} bytes is damaged ({error}); restore a backup of the "
            "database"
        ) from error


def bits(values: Floats) -> Ints:
    """Returns the bits of `values`, in which NaNs are equal to themselves and zeros have signs."""
    return np.ascontiguousarray(values).view(np.int64)


def _rows(points: Points) -> bytes:
    if len(points.steps) == 1:
        return points.steps.tobytes() + points.times.tobytes() + points.values.tobytes()
    rows = np.empty(len(points.steps), _ROW)
    rows["step"], rows["time"], rows["value"] = points
    return rows.tobytes()


def _decode_rows(body: memoryview) -> Points:
    rows = np.frombuffer(body, _ROW)
    return Points(
        rows["step"].astype(np.int64), rows["time"].astype(np.int64), rows["value"].copy()
    )


def _decode_columns(body: memoryview) -> Points:
    (
        points,
        value_width,
        step_width,
        time_width,
        first_step,
        step_difference,
        first_time,
        time_difference,
    ) = _COLUMNS_HEAD.unpack_from(body)
    if step_width not in _WIDTHS or time_width not in _WIDTHS or value_width not in (4, 8):
        raise ValueError("header")
    place = _COLUMNS_HEAD.size
    step_rest, place = _read_planes(body, place, points - 1, step_width)
    time_rest, place = _read_planes(body, place, points - 1, time_width)
    raw, place = _read_planes(body, place, points, value_width)
    if place != len(body):
        raise ValueError("length")
    return Points(
        _accumulate(first_step, step_difference, step_rest, points),
        _accumulate(first_time, time_difference, time_rest, points),
        raw.view(f"<f{value_width}").ravel().astype(np.float64, copy=False),
    )


def _differences(numbers: Ints) -> tuple[int, int, Bytes]:
    """Returns the first number, the smallest difference, and the rest as bytes, (n - 1, width).

    Arithmetic wraps around at 64 bits, there and back.
    """
    if len(numbers) < 2:
        return int(numbers[0]), 0, np.empty((0, 0), np.uint8)
    steps = np.diff(numbers)
    low = steps.min()
    with np.errstate(over="ignore"):
        rest = (steps - low).view(np.uint64)
    top = int(rest.max())
    width = next(width for width in _WIDTHS if top < 1 << 8 * width)
    if not width:
        narrow = np.empty((len(rest), 0), np.uint8)
    else:
        narrow = rest.astype(f"<u{width}").view(np.uint8).reshape(-1, width)
    return int(numbers[0]), int(low), narrow


def _accumulate(first: int, difference: int, rest: Bytes, points: int) -> Ints:
    numbers = np.empty(points, np.int64)
    numbers[0] = first
    width = rest.shape[1]
    if width:
        numbers[1:] = rest.view(f"<u{width}").ravel().astype(np.uint64).view(np.int64)
        numbers[1:] += difference
    else:
        numbers[1:] = difference
    return np.cumsum(numbers, out=numbers)


def _narrow(values: Floats) -> Bytes:
    """Returns the values' bytes, (n, 4) where float32 holds them bit for bit, else (n, 8)."""
    with np.errstate(over="ignore", invalid="ignore"):
        short = values.astype("<f4")
        if np.array_equal(bits(short.astype(np.float64)), bits(values)):
            return short.view(np.uint8).reshape(-1, 4)
    return values.astype("<f8", copy=False).view(np.uint8).reshape(-1, 8)


def _planes(column: Bytes) -> list[bytes]:
    """Returns a length word and the bytes for each plane of a column."""
    parts = []
    for plane in np.ascontiguousarray(column.T):
        mode, stored = _pack_plane(plane)
        parts.append(_PLANE.pack(mode << _MODE | len(stored)))
        parts.append(stored)
    return parts


def _pack_plane(plane: Bytes) -> tuple[int, bytes]:
    raw = plane.tobytes()
    if not raw:
        return _RAW, raw
    if raw.count(raw[:1]) == len(raw):
        return _CONSTANT, raw[:1]
    sample = raw[:_SAMPLE]
    if len(zlib.compress(sample, 1)) < _WORTH * len(sample):
        packed = zlib.compress(raw, 1)
        if len(packed) < len(raw):
            return _PACKED, packed
    return _RAW, raw


def _read_planes(body: memoryview, place: int, points: int, width: int) -> tuple[Bytes, int]:
    column = np.empty((points, width), np.uint8)
    for index in range(width):
        (word,) = _PLANE.unpack_from(body, place)
        mode, length = word >> _MODE, word & (1 << _MODE) - 1
        place += _PLANE.size
        stored = body[place : place + length]
        place += length
        if mode == _CONSTANT:
            column[:, index] = stored[0]
        elif mode == _PACKED:
            column[:, index] = np.frombuffer(zlib.decompress(stored), np.uint8)
        else:
            column[:, index] = np.frombuffer(stored, np.uint8)
    return column, place
