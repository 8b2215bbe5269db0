"""Where a job speaks to the person at the bench: words, progress, and questions with a limit.

A job never prints by itself, so that four jobs can share one terminal and a test can be the person.
No answer is never a yes.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from typing import Protocol

YES = {"y", "yes", "j", "是", "s", "1"}
NO = {"n", "no", "否", "f", "0"}


class Technician(Protocol):
    """What a job needs of the person; `port` tells which board is meant."""

    def say(self, port: str, text: str) -> None:
        """Show one line."""
        ...

    def progress(self, port: str, stage: str, part: float) -> None:
        """Show how far a stage is, 0 to 1."""
        ...

    def ask(self, port: str, question: str, seconds: float) -> bool:
        """Return whether the person said yes within the time."""
        ...


class Answers:
    """Lines typed on stdin, with a limit. A thread reads them: Windows cannot select on stdin."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._started = False

    def next(self, seconds: float) -> str:
        """Return the next line typed from now on; '' when none comes in time."""
        if not self._started:
            threading.Thread(target=self._read, daemon=True).start()
            self._started = True
        while not self._lines.empty():
            self._lines.get()  # typed before the question was asked: not an answer to it
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return ""

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line.strip().lower())


class PlainTechnician:
    """Plain lines on a terminal, one question at a time whatever the number of boards."""

    def __init__(self) -> None:
        self._answers = Answers()
        self._asking = threading.Lock()
        self._shown: dict[str, tuple[str, int]] = {}

    def say(self, port: str, text: str) -> None:
        print(f"{port}: {text}", flush=True)

    def progress(self, port: str, stage: str, part: float) -> None:
        step = (stage, int(part * 10))
        if self._shown.get(port) != step:
            self._shown[port] = step
            print(f"{port}: {stage} {part:4.0%}", flush=True)

    def ask(self, port: str, question: str, seconds: float) -> bool:
        with self._asking:
            print(f"{port}: {question} [y/n, {seconds:.0f} s] ", end="", flush=True)
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                answer = self._answers.next(left)
                if answer in YES | NO:
                    return answer in YES
            print("no answer", flush=True)
            return False
