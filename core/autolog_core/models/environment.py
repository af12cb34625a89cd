"""Requirements of a model, from the modules that its parts come from. No process is started."""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from autolog_core import __version__
from autolog_core.capture.packages import imported_packages, normalize, packages
from autolog_core.errors import InvalidArgument, NotFound

OWN = "autolog-ml"
_BUILDS = {
    "tensorflow-cpu": "tensorflow",
    "tensorflow-intel": "tensorflow",
    "tensorflow-macos": "tensorflow",
    "xgboost-cpu": "xgboost",
}
"""Distributions that hold the library of another name."""
_BUILD = ("pip", "setuptools", "wheel")


@dataclass(frozen=True, slots=True)
class Environment:
    """What must be installed to load a model, as the texts of three files.

    Attributes:
        requirements: One requirement of pip for each line.
        conda: The same as a mapping of ``conda.yaml``.
        constraints: Constraints of pip, one for each line; written where there are any.
    """

    requirements: tuple[str, ...]
    conda: Mapping[str, Any]
    constraints: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes the files into a model directory."""
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        (folder / "requirements.txt").write_text("\n".join(self.requirements), encoding="utf-8")
        if self.constraints:
            (folder / "constraints.txt").write_text("\n".join(self.constraints), encoding="utf-8")
        versions = _versions()
        python = {
            "python": platform.python_version(),
            "build_dependencies": [
                f"{name}=={versions[name]}" if name in versions else name for name in _BUILD
            ],
            "dependencies": ["-r requirements.txt"],
        }
        for name, content in (("conda.yaml", self.conda), ("python_env.yaml", python)):
            with open(folder / name, "w", encoding="utf-8") as stream:
                yaml.dump(content, stream, Dumper=dumper, default_flow_style=False, sort_keys=False)


def requirements_of(modules: Iterable[str], needed: Iterable[str] = ()) -> list[str]:
    """Returns the distributions that provide loaded modules, each with its version.

    Args:
        modules: Names of modules; those that no distribution provides, as the standard library
            and the user's own, are left out.
        needed: Names of distributions that are needed besides.
    """
    roots = frozenset(name.partition(".")[0] for name in modules)
    versions = _versions()
    found = {normalize(name) for name in needed} | _distributions(roots - {"__main__"})
    # A build of one machine (torch==2.13.0+cpu) is on no index: any build of the version serves.
    lines = [
        f"{name}=={versions[name].partition('+')[0]}" if name in versions else name
        for name in found - {OWN}
    ]
    if "autolog" in roots or "autolog_core" in roots or OWN in found:
        lines.append(f"{OWN}=={__version__}")
    return sorted(lines)


def mismatches(folder: Path) -> list[str]:
    """Returns what is installed otherwise than the requirements of a model directory say."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found, versions = [], {**_versions(), OWN: __version__}
    for line in lines:
        try:
            wanted = Requirement(line.partition(" #")[0])
        except InvalidRequirement:
            continue
        have = _version_of(normalize(wanted.name), versions)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            found.append(f"{wanted} (installed: {have or 'not'})")
    return found


def _version_of(name: str, versions: Mapping[str, str]) -> str | None:
    """Returns the version of a distribution, or of another build of the same library."""
    library = _BUILDS.get(name, name)
    builds = (name, library, *(build for build, of in _BUILDS.items() if of == library))
    return next((versions[each] for each in builds if each in versions), None)


def _stamp() -> tuple[tuple[str, int], ...]:
    # What is installed while the process runs changes the time of its folder.
    stamps = []
    for folder in dict.fromkeys(sys.path):
        try:
            stamps.append((folder, os.stat(folder or ".").st_mtime_ns))
        except OSError:
            continue
    return tuple(stamps)


def _versions() -> Mapping[str, str]:
    return _versions_at(_stamp())


@functools.lru_cache(maxsize=2)
def _versions_at(stamp: tuple[tuple[str, int], ...]) -> Mapping[str, str]:
    return packages([folder for folder, _ in stamp])


def _distributions(roots: frozenset[str]) -> frozenset[str]:
    loaded = frozenset(root for root in roots if root in sys.modules) - sys.stdlib_module_names
    return _distributions_at(loaded, _stamp())


@functools.lru_cache(maxsize=64)
def _distributions_at(roots: frozenset[str], stamp: tuple[tuple[str, int], ...]) -> frozenset[str]:
    modules: dict[str, ModuleType] = {root: sys.modules[root] for root in roots}
    return frozenset(imported_packages(modules, [folder for folder, _ in stamp]))


def make_environment(
    found: Sequence[str],
    pip_requirements: str | os.PathLike[str] | Iterable[str] | None = None,
    extra_pip_requirements: str | os.PathLike[str] | Iterable[str] | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
) -> Environment:
    """Returns the environment of a model.

    Args:
        found: Requirements that were told from the model.
        pip_requirements: Requirements, or a file of them, that count instead of `found`.
        extra_pip_requirements: Requirements, or a file of them, that count besides.
        conda_env: A conda environment, or its file, that counts instead of all.

    Raises:
        InvalidArgument: `conda_env` is given together with requirements, or cannot be read.
        NotFound: A file that was named is missing.
    """
    if conda_env is not None:
        if pip_requirements is not None or extra_pip_requirements is not None:
            raise InvalidArgument("give either conda_env or pip requirements, not both")
        conda = _read_conda(conda_env)
        return Environment(tuple(_pip_part(conda)), conda)
    lines = list(found) if pip_requirements is None else _read_lines(pip_requirements)
    if extra_pip_requirements is not None:
        extra = _read_lines(extra_pip_requirements)
        named = {_name(line) for line in extra}
        kept = [line for line in lines if pip_requirements is not None or _name(line) not in named]
        lines = [*kept, *extra]
    constraints: list[str] = []
    for line in [line for line in lines if line.startswith(("-c ", "--constraint "))]:
        constraints += _read_lines(line.partition(" ")[2].strip())
        lines.remove(line)
    pip = [*lines, *(["-c constraints.txt"] if constraints else [])]
    return Environment(tuple(pip), _conda(pip), tuple(constraints))


def _conda(pip: Sequence[str]) -> dict[str, Any]:
    versions = _versions()
    tool = f"pip<={versions['pip']}" if "pip" in versions else "pip"
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", tool, {"pip": list(pip)}],
    }


def _name(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return normalize(Requirement(line).name)
    except InvalidRequirement:
        return line


def _read_lines(given: str | os.PathLike[str] | Iterable[str]) -> list[str]:
    if not isinstance(given, (str, os.PathLike)):
        lines = []
        for line in given:
            if not isinstance(line, str):
                raise InvalidArgument(f"a requirement must be text, got {line!r}")
            if line.startswith(("-r ", "--requirement ")):
                lines += _read_lines(line.partition(" ")[2].strip())
            else:
                lines.append(line.strip())
        return [line for line in lines if line]
    try:
        text = Path(given).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"the file of requirements {given} does not exist") from error
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    folder = Path(given).parent
    return _read_lines(
        [_beside(line, folder) for line in lines if line and not line.startswith("#")]
    )


def _beside(line: str, folder: Path) -> str:
    option, _, name = line.partition(" ")
    if option in ("-r", "--requirement", "-c", "--constraint"):
        return f"{option} {folder / name.strip()}"
    return line


def _read_conda(given: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    import yaml

    if isinstance(given, (str, os.PathLike)):
        try:
            content = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NotFound(f"the conda environment {given} does not exist") from error
        except yaml.YAMLError as error:
            raise InvalidArgument(
                f"the conda environment {given} cannot be read: {error}"
            ) from error
    else:
        content = given
    if not isinstance(content, Mapping) or not isinstance(content.get("dependencies", []), list):
        raise InvalidArgument(f"conda_env must be a conda environment, got {given!r}")
    return dict(content)


def _pip_part(conda: Mapping[str, Any]) -> list[str]:
    for entry in conda.get("dependencies", []):
        if isinstance(entry, Mapping) and isinstance(entry.get("pip"), list):
            return [str(line) for line in entry["pip"]]
    return []
