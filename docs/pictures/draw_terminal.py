"""Draws terminal.svg: the quickstart is run, and what the command line then shows is drawn.

Usage: ``python docs/pictures/draw_terminal.py``, where autolog and scikit-learn are installed. Each
command runs in a terminal of its own, so the picture holds what a person sees, colours included.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 116
PARAMS_SHOWN = 9
THEME = TerminalTheme(
    (24, 28, 36),
    (214, 220, 228),
    [(24, 28, 36), (240, 113, 120), (126, 211, 133), (229, 192, 103), (97, 175, 239),
     (198, 146, 233), (86, 199, 209), (214, 220, 228)],
    [(110, 120, 135), (255, 139, 146), (152, 230, 160), (245, 214, 132), (130, 196, 255),
     (217, 172, 250), (115, 221, 230), (255, 255, 255)],
)  # fmt: skip


def shown(command: list[str], folder: str) -> str:
    """Returns what ``command`` prints to a terminal, with its colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LOGNAME": "ada"}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=follower, stdout=follower, stderr=subprocess.STDOUT
    )
    os.close(follower)
    taken = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        taken += part
    os.close(leader)
    if process.wait() != 0:
        raise SystemExit(f"{shlex.join(command)} failed:\n{taken.decode()}")
    return taken.decode().replace("\r\n", "\n")


def shortened(output: str) -> str:
    """Returns what `runs show` printed, with only the first params of its long list."""
    head, tail = re.split(r"(?<=\n)(?=.*Metrics)", output, maxsplit=1)
    lines = head.splitlines()
    start = next(number for number, line in enumerate(lines) if "Params" in line) + 1
    left = len(lines) - start - PARAMS_SHOWN - 1
    shown_lines = [*lines[: start + PARAMS_SHOWN], f"  ... {left} more ...", ""]
    return "\n".join(shown_lines) + "\n" + tail


def picture(parts: list[tuple[str, str]]) -> str:
    """Returns an SVG of commands and what each printed."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for number, (command, output) in enumerate(parts):
        if number:
            console.print()
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        console.print(Text.from_ansi(output.rstrip("\n")), overflow="fold")
    svg = console.export_svg(title="autolog", theme=THEME, unique_id="autolog")
    # The fonts of the reader's machine are good enough: nothing is fetched from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, DejaVu Sans Mono")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Runs the commands in an empty folder and draws them."""
    bin_folder = Path(sys.executable).parent
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        script = HERE.parents[1] / "examples" / "quickstart.py"
        (Path(folder) / "quickstart.py").write_text(script.read_text())

        for arguments in ("init -q", "add .", "commit -q -m Compare"):
            author = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
            subprocess.run(["git", *author, *arguments.split()], cwd=folder, check=True)

        def run(command: str) -> str:
            program, *arguments = shlex.split(command)
            output = shown([str(bin_folder / program), *arguments], folder)
            parts.append((command, output))
            return output

        said = run("python quickstart.py")
        best = said.rsplit(maxsplit=1)[1][:8]
        run("autolog runs list")
        run(f"autolog runs show {best}")
        parts[-1] = (parts[-1][0], shortened(parts[-1][1]))
    HERE.joinpath("terminal.svg").write_text(picture(parts))


if __name__ == "__main__":
    main()
