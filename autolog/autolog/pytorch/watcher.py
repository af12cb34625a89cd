"""Understands a training loop from what it calls: batches, losses, backward passes, steps.

Each thread has a watcher of its own. Nothing here waits for a device, and nothing is done before
the first step of an optimizer but remembering what it will be asked for.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from autolog.instrument import ongoing
from autolog.pytorch import extract
from autolog.pytorch.closing import finish, save_epoch
from autolog.pytorch.losses import Losses
from autolog.pytorch.opening import describe_loader, join, open_training
from autolog.pytorch.passes import TRAIN, Pass
from autolog.pytorch.sites import Sites

if TYPE_CHECKING:
    from autolog.instrument.guard import Switch
    from autolog.pytorch.training import Training

_FEW = 4
"""Evaluations before the first step that are kept at most."""

_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()


class Watchers(threading.local):
    """The watcher of each thread.

    Args:
        switch: State of the integration.
    """

    def __init__(self, switch: Switch) -> None:
        self.mine = Watcher(switch)


class Watcher:
    """What one thread does.

    Args:
        switch: State of the integration.

    Attributes:
        losses: What loss functions and backward passes have shown since the last step.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._sites = Sites()
        self.forget()
        _watchers.add(self)

    def forget(self) -> None:
        """Forgets all that was seen."""
        self.losses = Losses(self._sites)
        self._training: Training | None = None
        self._trainings: weakref.WeakKeyDictionary[Any, Training] = weakref.WeakKeyDictionary()
        self._refused: weakref.WeakSet[Any] = weakref.WeakSet()
        self._passes: dict[int, tuple[weakref.ref[Any], Pass]] = {}
        self._dropped: list[Pass] = []
        self._early: list[Pass] = []
        self._current: Pass | None = None
        self._in_training: Pass | None = None
        self._stepped: int | None = None
        self._last: Any = (None, None, None)

    def begins(self, loader: Any, iterator: Any) -> None:
        """Sees that a loop begins to take batches from a loader."""
        self._tidy()
        for _, earlier in list(self._passes.values()):
            if earlier.loader is not None and earlier.loader() is loader:
                self._finish(earlier, whole=False)
        training = self._training
        if training is not None and not training.over and training.trains_on(loader):
            save_epoch(training)
        key = id(iterator)

        def gone(_: Any) -> None:
            # Called wherever the program lets go of it: whatever is seen next takes it up.
            found = self._passes.pop(key, None)
            if found is not None:
                self._dropped.append(found[1])

        reference = weakref.ref(iterator, gone)
        self._passes[key] = (
            reference,
            Pass(
                weakref.ref(loader),
                reference,
                extract.loader_params(loader),
                self._sites.role(),
            ),
        )

    def takes(self, iterator: Any) -> None:
        """Sees that a batch was taken."""
        self._tidy()
        found = self._passes.get(id(iterator))
        if found is not None:
            found[1].batches += 1
            self._current = found[1]

    def exhausted(self, iterator: Any) -> None:
        """Sees that there are no more batches."""
        found = self._passes.pop(id(iterator), None)
        if found is not None:
            self._finish(found[1], whole=True)

    def loses(
        self, function: str, output: Any, target: Any, result: Any, ignored: int, sums: bool
    ) -> None:
        """Sees what a loss function was given, and what it returned."""
        if self._dropped:
            self._tidy()
        self.losses.sees(function, output, target, result, ignored, sums, self._current)

    def backs(self, tensors: Any) -> None:
        """Sees from where gradients are computed."""
        if self._dropped:
            self._tidy()
        evaluation = self.losses.take_evaluation()
        if evaluation is not None:
            self._evaluated(evaluation)
        for tensor in tensors:
            if tensor.numel() == 1 and tensor.grad_fn is not None:
                self.losses.back(tensor)

    def skips(self, optimizer: Any) -> None:
        """Sees that a scaler of gradients was asked for a step, and may have left it out."""
        if self._stepped == id(optimizer):
            return
        self.losses.clear()
        training = self._trainings.get(optimizer)
        if training is not None and not training.over:
            training.skip()

    def asks(self) -> None:
        """Sees that a scaler of gradients is asked for a step."""
        self._stepped = None

    def steps(self, optimizer: Any) -> None:
        """Sees that an optimizer has made a step."""
        self._stepped = id(optimizer)
        if self._dropped:
            self._tidy()
        reference, training, known = self._last
        if training is None or training.over or reference() is not optimizer:
            training = self._training_of(optimizer)
            if training is None:
                self.losses.clear()
                return
            known = training.optimizers[optimizer]
            self._last = weakref.ref(optimizer), training, known
        step = training.advance(optimizer)
        rates = [group.get("lr") for group in optimizer.param_groups]
        if rates != known.last:
            training.add_rates(known, rates, step)
        current = self._current
        if current is not None:
            current.steps += 1
            if training not in current.trainings:
                current.trainings.append(training)
                current.role = TRAIN
                self._in_training = current
                training.loader = current.loader
                describe_loader(training, current)
        training.add(self.losses.hand_over(known, step))
        if current is None and training.tick():
            save_epoch(training, window=True)
        if self._early:
            early, self._early = self._early, []
            for each in early:
                self._evaluated(each)

    def _training_of(self, optimizer: Any) -> Training | None:
        """Returns the training that an optimizer belongs to, a new one if need be."""
        earlier = self._trainings.get(optimizer)
        if earlier is not None:
            if not earlier.over or _resume(earlier):
                self._training = earlier
                return earlier
        elif optimizer in self._refused:
            return None
        training = self._training
        try:
            going_on = earlier is None and training is not None and not training.over
            if going_on and training is not None and training.is_related(optimizer):
                join(training, optimizer)
                self._trainings[optimizer] = training
                return training
            if ongoing.any_open():
                ongoing.close_here()
            made = open_training(self._switch, optimizer, earlier, finish)
        except BaseException:
            # Nor does each further step try it again.
            self._refused.add(optimizer)
            raise
        if made is not None:
            made.settle = self._settle
            self._trainings[optimizer] = made
            self.losses.describe(made)
        self._training = made
        return made

    def _tidy(self) -> None:
        while self._dropped:
            self._finish(self._dropped.pop(0), whole=False)

    def _settle(self) -> None:
        """Ends what is still going on, because the training ends."""
        self._tidy()
        evaluation = self.losses.take_evaluation()
        if evaluation is not None:
            self._evaluated(evaluation)
        for _, each in list(self._passes.values()):
            if each.role == TRAIN or each.losses:
                self._finish(each, whole=False)

    def _finish(self, each: Pass, whole: bool) -> None:
        for key, (_, known) in list(self._passes.items()):
            if known is each:
                del self._passes[key]
        if self._in_training is each:
            self._in_training = None
        if self._current is each:
            self._current = self._in_training
        if not each.steps:
            self.losses.claim(each)
        if each.role != TRAIN:
            if each.losses:
                self._evaluated(each)
            return
        for training in each.trainings:
            if training.over:
                continue
            if whole or each.batches > 1:
                training.end_epoch()
                save_epoch(training, early=True)
            else:
                # A loop that asks the loader anew for each batch makes no epochs of one batch.
                for _ in range(each.steps):
                    training.tick()

    def _evaluated(self, each: Pass) -> None:
        training = self._training
        if training is None:
            self._early.append(each)
            del self._early[:-_FEW]
        elif not training.over:
            training.end_window()
            training.end_evaluation(each)
            describe_loader(training, each)
            save_epoch(training)


def _resume(training: Training) -> bool:
    """Takes up a training again that was ended because another one began."""
    if ongoing.find(training) is None:
        return False
    training.over = False
    return True


def _forget() -> None:
    # Trainings go on in the parent of a fork.
    for watcher in list(_watchers):
        watcher.forget()


os.register_at_fork(after_in_child=_forget)
