"""How long training still takes, from what its steps and pauses have taken so far."""

from __future__ import annotations

from collections import deque

#: The first steps warm up (memory is allocated, kernels are chosen) and say nothing about the others.
WARM_UP = 2
#: Evidence that is needed before anything is said: steps after warm-up, and seconds since the beginning.
STEPS, SECONDS = 5, 3.0
#: Steps that count: the last so many, since other programs come and go.
WINDOW = 200


class Pace:
    """Measures steps and the pauses between epochs, in which the model is evaluated and saved.

    Every `now` is in seconds of one clock.

    Attributes:
        evaluation: Seconds of an evaluation, which stand for a pause until one has been measured.
    """

    def __init__(self) -> None:
        self.evaluation = 0.0
        self._begun = self._last = 0.0
        self._seen = 0
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._pauses: list[float] = []

    def begin(self, now: float) -> None:
        """Training begins."""
        self._begun = self._last = now

    def step(self, now: float) -> None:
        """A step has ended."""
        self._seen += 1
        if self._seen > WARM_UP:
            self._steps.append(now - self._last)
        self._last = now

    def go_on(self, now: float) -> None:
        """An epoch begins; the time since the last step was a pause, except before the first one."""
        if self._seen:
            self._pauses.append(now - self._last)
        self._last = now

    def remaining(self, now: float, steps: int, epochs: int) -> float | None:
        """Seconds that so many steps and ends of epochs will take, the last evaluation included; None if unknown."""
        if len(self._steps) < STEPS or now - self._begun < SECONDS:
            return None
        pause = sum(self._pauses) / len(self._pauses) if self._pauses else self.evaluation
        return steps * sum(self._steps) / len(self._steps) + (epochs + 1) * pause
