"""Telling the models that this user saved from those that came from elsewhere.

Each user has one secret key, in a file that nobody else can read. A model whose loading runs code
is sealed with it when it is saved: a code over all its files that only the holder of the key can
make. So one's own models load without a word, wherever they were copied, and a changed or foreign
one asks for trust.

Files of weights are left out where a sealed file holds their digests: they can run no code, and
whoever loads them compares the digests.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import xxhash

from autolog_core.config import read_settings
from autolog_core.models.directory import files_of
from autolog_core.models.manifest import FILE, Model

_logger = logging.getLogger("autolog")
SEAL = "autolog_seal.json"
_OUTSIDE = frozenset((FILE, SEAL, "registered_model_meta"))
_KEY_LENGTH = 32
_CHUNK = 2**20


def content_digest(folder: Path, without: Collection[str] = ()) -> str:
    """Returns a digest over names and bytes of a folder's files; fast, not against forgery.

    Args:
        folder: The folder.
        without: Files of it that do not count.
    """
    return _digest(folder, xxhash.xxh3_128, frozenset(without))


def write_seal(folder: Path, model: Model, without: Collection[str] = ()) -> None:
    """Seals a model directory with this user's key.

    Args:
        folder: The directory.
        model: Its manifest.
        without: Files of weights, whose digests a sealed file holds.
    """
    apart = sorted(without)
    seal = {"version": 2, "apart": apart, "seal": _seal_of(folder, model, apart)}
    (folder / SEAL).write_text(json.dumps(seal))


def is_sealed(folder: Path, model: Model) -> bool:
    """Whether this user saved the model, and nothing of it was changed since."""
    try:
        read = json.loads((folder / SEAL).read_text())
        found, apart = read["seal"], read["apart"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not isinstance(found, str) or not isinstance(apart, list):
        return False
    if any((folder / name).is_symlink() for name in files_of(folder)):
        return False
    return hmac.compare_digest(found.encode(), _seal_of(folder, model, apart).encode())


def _seal_of(folder: Path, model: Model, apart: list[Any]) -> str:
    # The manifest may get a signature or an id later; what it says about loading may not change.
    how = json.dumps({name: dict(each) for name, each in model.flavors.items()}, sort_keys=True)
    content = _digest(folder, hashlib.sha256, _OUTSIDE | set(map(str, apart)))
    # What is left out is sealed too: nobody can leave out more.
    told = f"2\n{how}\n{json.dumps(apart)}\n{content}"
    return hmac.new(_key(), told.encode(), hashlib.sha256).hexdigest()


def _digest(folder: Path, make: Callable[[], Any], without: frozenset[str]) -> str:
    whole = make()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    for name in files_of(folder):
        label = name.as_posix()
        if label in without:
            continue
        part = make()
        with open(folder / name, "rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                part.update(view[:count])
        whole.update(f"{len(label)}:{label}={part.hexdigest()}\n".encode())
    found: str = whole.hexdigest()
    return found


def _key() -> bytes:
    return _read_key(os.path.join(read_settings().data_folder, "model.key"))


@functools.lru_cache(maxsize=8)
def _read_key(path: str) -> bytes:
    for _ in range(2):
        try:
            with open(path, "rb") as stream:
                told = os.fstat(stream.fileno())
                key = stream.read(_KEY_LENGTH + 1)
        except OSError:
            _make_key(path)
            continue
        if told.st_uid == os.getuid() and not told.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            if len(key) == _KEY_LENGTH:
                return key
            why = f"is not {_KEY_LENGTH} bytes long"
        else:
            why = "is not this user's alone"
        _logger.warning("the key that seals models is not used: %s %s; delete it", path, why)
        break
    # Without a home, models are known as one's own as long as the process lives.
    return secrets.token_bytes(_KEY_LENGTH)


def _make_key(path: str) -> None:
    draft = f"{path}.{secrets.token_hex(6)}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(_KEY_LENGTH))
        finally:
            os.close(handle)
        try:
            # A link appears whole, and never replaces the key of a process that was faster.
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            os.unlink(draft)
    except OSError as error:
        _logger.warning("no key to seal models with can be kept in %s: %s", path, error)
