"""Draws house.svg, the figure of the architecture: ``python docs/pictures/draw_house.py``."""

from __future__ import annotations

from pathlib import Path

WIDTH, HEIGHT = 960, 588
INK, SOFT, LINE = "#1f2933", "#5b6773", "#9aa5b1"
FACADE, ENGINE, DISK = "#e6f0ff", "#eaf7ee", "#fff4df"
MARKS = {FACADE: "#3b6fd4", ENGINE: "#2f8f57", DISK: "#c9821b"}


def box(x: int, y: int, w: int, h: int, fill: str, title: str, *lines: str) -> str:
    """Returns a box with a title and lines of text below it."""
    parts = [
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="8" fill="{fill}" '
        f'stroke="{MARKS[fill]}" stroke-width="1.4"/>',
        text(x + 14, y + 25, title, weight=600),
    ]
    parts += [text(x + 14, y + 46 + 18 * row, line, 12.5, SOFT) for row, line in enumerate(lines)]
    return "".join(parts)


def text(
    x: float, y: float, words: str, size: float = 15, fill: str = INK, weight: int = 400
) -> str:
    """Returns one line of text."""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" font-weight="{weight}">'
        f"{words}</text>"
    )


def frame(x: int, y: int, w: int, h: int, title: str, color: str) -> str:
    """Returns the outline of a house with its name."""
    return (
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="12" fill="none" stroke="{color}" '
        f'stroke-width="1.4" stroke-dasharray="5 4"/>' + text(x + 16, y + 24, title, 13, color, 600)
    )


def arrow(path: str) -> str:
    """Returns a line with a head at its end."""
    return (
        f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="2" marker-end="url(#head)"/>'
    )


def line(path: str) -> str:
    """Returns a line that joins another."""
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>'


def drawing() -> str:
    """Returns the whole figure."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" '
        "font-family=\"'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif\">",
        "<title>The two packages of autolog and the way of a logged value</title>",
        f'<defs><marker id="head" markerWidth="6" markerHeight="6" refX="5" refY="3" '
        f'orient="auto"><path d="M0,0 L6,3 L0,6 z" fill="{LINE}"/></marker></defs>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="14" fill="#ffffff" '
        'stroke="#d9dee4"/>',
        frame(24, 92, 912, 176, "autolog: what you import", MARKS[FACADE]),
        frame(24, 292, 912, 272, "autolog_core: the engine", MARKS[ENGINE]),
        # Your code.
        f'<rect x="24" y="20" width="912" height="48" rx="8" fill="{INK}"/>',
        text(44, 49, "your training script", 14, "#ffffff", 600),
        text(232, 49, "model.fit(X, y)", 14, "#cfe0ff"),
        text(640, 49, "log_metric(...)   search_runs(...)", 14, "#cfe0ff"),
        # The facade.
        box(44, 130, 170, 118, FACADE, "library rooms", "spec: versions, hooks",
            "patch: what is watched", "flavor: its models"),
        box(250, 130, 250, 118, FACADE, "instrument", "guard: calls your function once",
            "scope: one training, one run", "Recorder: params, metrics, data"),
        box(576, 130, 340, 118, FACADE, "API", "start_run, log_*, search_*, MlflowClient",
            "the names that tracking code expects:", "import autolog as mlflow"),
        # The engine.
        box(44, 332, 250, 92, ENGINE, "session", "runs begin and end here",
            "captures git, packages, host"),
        box(338, 332, 250, 92, ENGINE, "journal", "validate, append, return: 1 µs",
            "a memory-mapped file per process"),
        box(666, 332, 250, 92, ENGINE, "search", "filter language, one parser,",
            "one SQL compiler"),
        box(44, 454, 250, 90, DISK, "artifacts", "./mlruns/&lt;experiment&gt;/",
            "files of runs and of models"),
        box(338, 454, 578, 90, DISK, "store", "./mlruns/tracking.db, SQLite by default",
            "data and the writer's watermark in one transaction"),
        # Ways.
        arrow("M290,68 V126"),
        arrow("M750,68 V126"),
        arrow("M214,189 H246"),
        arrow("M375,248 V280 H266 V328"),
        line("M640,248 V280 H375"),
        arrow("M294,378 H334"),
        arrow("M463,424 V450"),
        text(474, 442, "writer thread, every 0.2 s", 12, SOFT),
        arrow("M850,248 V328"),
        arrow("M791,424 V450"),
        arrow("M169,424 V450"),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("house.svg").write_text(drawing())
