"""What was started: the script, module or notebook, and its arguments without secrets."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from autolog_core.capture.text import clean, shorten

MASK = "***"
ARGUMENT_LENGTH = 2000
ARGUMENT_COUNT = 500

_SECRET_WORDS = frozenset(
    (
        "auth",
        "credential",
        "credentials",
        "key",
        "pass",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "pw",
        "secret",
        "secrets",
        "token",
    )
)
# Words run together, as in --apikey or --dbpassword.
_SECRET_PARTS = ("password", "passwd", "secret", "apikey", "accesskey", "privatekey", "authtoken")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMED = re.compile(
    r"(?P<name>[+~]*-{0,2}[A-Za-z_][\w.\-/]*)(?P<sign>[=:])(?P<value>.*)", re.DOTALL
)
_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
# Shapes that only access tokens have: GitHub, GitLab, Hugging Face, OpenAI, Slack, AWS, JSON web.
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|sk-[\w\-]{20,}|xox[abprs]-[\w\-]{10,}|AKIA[A-Z0-9]{16}"
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a process runs.

    Attributes:
        name: Script as it was started, ``-m package.module``, notebook, or ``<console>``.
        type: ``LOCAL`` or ``NOTEBOOK``, the words of the tag ``mlflow.source.type``.
        kind: script, module, command, notebook or interactive.
        arguments: After the name, secrets masked, long ones cut with a note.
        folder: Working folder.
        file: Absolute path of the code that was started, if it is a file.
    """

    name: str
    type: str
    kind: str
    arguments: tuple[str, ...]
    folder: str
    file: str | None = None


def read_source(
    argv: Sequence[str] | None = None,
    modules: Mapping[str, ModuleType] | None = None,
    notebook: str | None = None,
) -> Source:
    """Returns what this process runs.

    Args:
        argv: The command line instead of the process's own.
        modules: Loaded modules instead of the process's own.
        notebook: Path of the notebook, where the environment names it.
    """
    line = [str(part) for part in (sys.argv if argv is None else argv)]
    loaded = sys.modules if modules is None else modules
    folder = _working_folder()
    shell = _shell(loaded)
    if shell is not None:
        return _from_shell(shell, notebook, folder)
    script, arguments = (line[0], line[1:]) if line else ("", [])
    masked = mask_arguments(arguments)
    if script in ("", "-"):
        name = "<stdin>" if script else "<console>"
        return Source(name, "LOCAL", "interactive", masked, folder)
    if script == "-c":
        return Source("<command>", "LOCAL", "command", masked, folder)
    module = _main_module(loaded.get("__main__"))
    path = os.path.abspath(os.path.join(folder, script))
    file = path if os.path.isfile(path) else None
    if module:
        return Source(f"-m {module}", "LOCAL", "module", masked, folder, file)
    return Source(shorten(clean(script), ARGUMENT_LENGTH), "LOCAL", "script", masked, folder, file)


def mask_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """Returns `arguments` with the values of secrets replaced by ``***``.

    A secret is what follows a name such as ``--api-key`` or ``db.password=``, the login of a URL,
    and what has the shape of a well-known access token.
    """
    shown: list[str] = []
    hide = False
    for whole in arguments[:ARGUMENT_COUNT]:
        # Twice what is shown, so that no token is cut in two where it still shows.
        argument = whole[: 2 * ARGUMENT_LENGTH]
        if hide and not argument.startswith("--"):
            shown.append(MASK)
            hide = False
            continue
        named = _NAMED.fullmatch(argument)
        hide = argument.startswith("-") and named is None and is_secret_name(argument)
        if named and is_secret_name(named["name"]):
            argument = f"{named['name']}{named['sign']}{MASK}"
        argument = _TOKEN.sub(MASK, _URL_LOGIN.sub(MASK, argument))
        shown.append(shorten(clean(argument), ARGUMENT_LENGTH, len(whole)))
    if len(arguments) > ARGUMENT_COUNT:
        shown.append(f"... [{len(arguments)} arguments in all]")
    return tuple(shown)


def is_secret_name(name: str) -> bool:
    """Whether an argument of that name holds a secret, such as ``--hf_token`` or ``dbPassword``."""
    if _SECRET_WORDS.intersection(word.lower() for word in _WORD.findall(name)):
        return True
    joined = re.sub(r"[^a-z]", "", name.lower())
    return any(part in joined for part in _SECRET_PARTS)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _main_module(main: ModuleType | None) -> str | None:
    spec = getattr(main, "__spec__", None)
    name = getattr(spec, "name", None)
    if not isinstance(name, str) or name == "__main__":
        return None
    return name.removesuffix(".__main__")


def _shell(modules: Mapping[str, ModuleType]) -> object | None:
    """Returns IPython's shell object if this process is one; never imports it."""
    get_shell = getattr(modules.get("IPython"), "get_ipython", None)
    return get_shell() if callable(get_shell) else None


def _from_shell(shell: object, notebook: str | None, folder: str) -> Source:
    if type(shell).__name__ == "TerminalInteractiveShell":
        return Source("<console>", "LOCAL", "interactive", (), folder)
    namespace = getattr(shell, "user_ns", None)
    found = namespace.get("__vsc_ipynb_file__") if isinstance(namespace, dict) else None
    name = found if isinstance(found, str) else notebook
    file = os.path.abspath(os.path.join(folder, name)) if name else None
    return Source(
        name=shorten(clean(name), ARGUMENT_LENGTH) if name else "<notebook>",
        type="NOTEBOOK",
        kind="notebook",
        arguments=(),
        folder=folder,
        file=file if file and os.path.isfile(file) else None,
    )
