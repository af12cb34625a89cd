"""Whether bytes are the text of a whole LightGBM model.

LightGBM's own reader trusts the sizes in a file: one that was cut short ends the process instead of
raising an error.
"""

from __future__ import annotations

import json

from autolog_core.models.flavors import Broken

_HEAD = b"tree\n"
_END = b"end of trees"
_LAST = b"pandas_categorical:"


def check_text(data: bytes) -> None:
    """Looks whether all trees are where the head of the file says, and what follows them.

    Raises:
        Broken: They are not.
    """
    if not data.startswith(_HEAD):
        raise Broken("it is no text of LightGBM")
    head, gap, _ = data.partition(b"\n\n")
    fields = dict(line.partition(b"=")[::2] for line in head.splitlines())
    if not gap or b"tree_sizes" not in fields:
        raise Broken("its head does not tell the sizes of its trees")
    place = len(head) + len(gap)
    for number, word in enumerate(fields[b"tree_sizes"].split()):
        if not data.startswith(b"Tree=%d\n" % number, place) or not word.isdigit():
            raise Broken(f"tree {number} is not where it should be")
        place += int(word)
    # The last line is written by Python, for every model.
    last = data[place:].rstrip().rpartition(b"\n")[2]
    if not data.startswith(_END, place) or not last.startswith(_LAST):
        raise Broken("it ends too early")
    try:
        json.loads(last.removeprefix(_LAST))
    except ValueError as error:
        raise Broken(f"its last line cannot be read: {error}") from error
