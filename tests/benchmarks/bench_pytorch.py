"""What autologging adds to plain training loops of PyTorch; MLflow records nothing of them.

Loops with and without it take turns in one process. Of a step the median is taken, from the
hundredth on; of a whole training the time of the caller, with the checkpoint of each epoch.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _measure import report


def main() -> None:
    """Measures and reports each figure."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        import torch

        import autolog

        torch.set_num_threads(1)
        autolog.set_tracking_uri(Path(folder) / "runs")
        mlp()
        transformer()
        convolutions()
        os.chdir("/")


def switch(on: bool, **options: Any) -> None:
    """Turns autologging of PyTorch on or off; what is written is waited for."""
    from autolog.instrument import control
    from autolog_core.session import default_session

    control.configure("pytorch", control.OWN, disable=not on, **options)
    if not on:
        default_session().saving.wait()


def mlp() -> None:
    """A step of a multilayer perceptron of 64, 64 and 10, batches of 64, momentum."""
    import torch
    from torch import nn

    X, y = torch.randn(64, 64), torch.randint(0, 10, (64,))

    def steps() -> Iterator[None]:
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        criterion = nn.CrossEntropyLoss()
        while True:
            optimizer.zero_grad()
            loss = criterion(model(X), y)
            loss.backward()
            optimizer.step()
            yield

    added = [after - before for before, after in compare(steps, 9, 1000)]
    report("PyTorch: step of a small MLP, added", added, None, "us", 20.0)


def transformer() -> None:
    """A step of a transformer encoder of two layers that takes about 50 ms."""
    import torch
    from torch import nn

    tokens = torch.randint(0, 100, (4, 64))

    def steps() -> Iterator[None]:
        layer = nn.TransformerEncoderLayer(128, 4, 256, batch_first=True)
        model = nn.Sequential(
            nn.Embedding(100, 128), nn.TransformerEncoder(layer, 2), nn.Linear(128, 100)
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        while True:
            optimizer.zero_grad()
            logits = model(tokens)
            loss = nn.functional.cross_entropy(logits.transpose(1, 2), tokens)
            loss.backward()
            optimizer.step()
            yield

    found = compare(steps, 7, 40, skipped=5)
    added = [100 * (after - before) / before for before, after in found]
    report("PyTorch: step of a small transformer, added", added, None, "%", 0.5)


def compare(
    steps: Callable[[], Iterator[None]], rounds: int, number: int, skipped: int = 100
) -> list[tuple[float, float]]:
    """Returns the median microseconds of a step without and with autologging, for each round."""
    found = []
    for turn in range(rounds + 1):
        before = median_of(steps(), number, skipped)
        switch(True, log_models=False)
        after = median_of(steps(), number, skipped)
        switch(False)
        if turn:
            found.append((before, after))
    return found


def median_of(steps: Iterator[None], number: int, skipped: int) -> float:
    """Returns the median microseconds of `number` steps."""
    taken = []
    for place in range(number + skipped):
        began = time.perf_counter()
        next(steps)
        if place >= skipped:
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def convolutions() -> None:
    """Three epochs of a small convolutional network on 1,600 pictures, a checkpoint each."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.randn(1600, 1, 28, 28), torch.randint(0, 10, (1600,)))

    def train() -> float:
        loader = DataLoader(data, batch_size=64, shuffle=True)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 11 * 11, 10),
        )
        optimizer = torch.optim.Adam(model.parameters())
        began = time.perf_counter()
        for _ in range(3):
            for pictures, digits in loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(pictures), digits)
                loss.backward()
                optimizer.step()
        return time.perf_counter() - began

    added = []
    for turn in range(8):
        before = train()
        switch(True)
        after = train()
        switch(False)
        if turn:
            added.append(100 * (after - before) / before)
    report("PyTorch: CNN, 3 epochs with a checkpoint each, added", added, None, "%", 2.0)


if __name__ == "__main__":
    main()
