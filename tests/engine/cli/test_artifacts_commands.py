import json
from pathlib import Path

import pytest


def test_list_folders_and_below(call):
    assert call("artifacts", "list", "sunk \x1b[31m模").stdout.splitlines() == [
        "path\tsize_bytes",
        "failure/\t",
        "model/\t",
        "notes.txt\t8",
    ]
    found = json.loads(call("artifacts", "list", "sunk \x1b[31m模", "-r", "--json").stdout)
    assert {"path": "model/weights.bin", "is_dir": False, "file_size": 256} in found
    below = call("artifacts", "list", "sunk \x1b[31m模", "model").stdout
    assert below.splitlines()[1] == "model/weights.bin\t256"


def test_a_run_without_artifacts_says_so(call):
    result = call("artifacts", "list", "red")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "has no artifacts" in result.stderr


def test_a_file_is_printed_byte_by_byte(call, template):
    result = call("artifacts", "cat", template.runs["sunk"], "model/weights.bin")
    assert result.stdout_bytes == bytes(range(256))


def test_a_folder_is_downloaded(call, template, tmp_path):
    result = call("artifacts", "download", template.runs["sunk"], "model", "-o", str(tmp_path))
    assert Path(result.stdout.strip()) == tmp_path / "model"
    assert (tmp_path / "model" / "weights.bin").read_bytes() == bytes(range(256))


def test_files_and_folders_are_logged(change, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.yaml").write_text("a: 1")
    assert change("artifacts", "log", "red", str(tmp_path / "conf"), "-p", "cfg").exit_code == 0
    assert change("artifacts", "cat", "red", "cfg/a.yaml").stdout == "a: 1"
    logged = change("artifacts", "log", "red", str(tmp_path / "conf" / "a.yaml"))
    assert logged.stdout == "a.yaml\n"
    assert change("runs", "delete", "red").exit_code == 0
    refused = change("artifacts", "log", "red", str(tmp_path / "conf"))
    assert refused.exit_code == 1
    assert "is deleted" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["cat", "absent.txt"],
        ["cat", "../../../../etc/passwd"],
        ["cat", "model"],
        ["download", "absent"],
        ["list", "absent"],
        ["list", "notes.txt"],
    ],
)
def test_a_wrong_path_is_one_line_and_exit_code_1(call, template, tmp_path, arguments):
    command, path = arguments
    extra = ["-o", str(tmp_path)] if command == "download" else []
    result = call("artifacts", command, template.runs["sunk"], path, *extra)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
