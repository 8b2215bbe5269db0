"""Where a job speaks to the person at the bench: words, progress, and questions with a limit.

A job never prints by itself, so that four jobs can share one terminal and a test can be the person.
No answer is never a yes.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

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

    def ask(self, port: str, question: str, seconds: float) -> bool | None:
        """Return whether the person said yes; None when nobody answered in time."""
        ...

    def ended(self, port: str, unit: str, fault: str) -> None:
        """Tell, to be heard and seen from across the room, how a unit ended; '' is a PASS."""
        ...


class Answers:
    """Lines typed on stdin, with a limit. A thread reads them: Windows cannot select on stdin."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._started = False

    def forget(self) -> None:
        """Forget what was typed before the question was shown: it is no answer to it."""
        if not self._started:
            threading.Thread(target=self._read, daemon=True).start()
            self._started = True
        while not self._lines.empty():
            self._lines.get()

    def next(self, seconds: float) -> str:
        """Return the next line typed; '' when none comes in time."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return ""

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line.strip().lower())


def _echo(restore: list[Any] | None) -> list[Any] | None:
    """Stop the terminal's echo and return its settings, or restore them.

    The end of an echoed line would push the bars down by one. POSIX only; nothing without a tty.
    """
    if os.name == "nt" or not sys.stdin.isatty():
        return None
    import termios

    before = termios.tcgetattr(sys.stdin)
    wanted = restore or [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, wanted)
    return before


class Terminal:
    """One line per port with a bar, colours and a bell; one question at a time for all ports."""

    def __init__(self, console: Console, places: dict[str, str] | None = None) -> None:
        """`places`: port -> its place on the hub, which a person finds sooner than ttyUSB2."""
        self._console = console
        self._places = places or {}
        self._answers = Answers()
        self._asking = threading.Lock()
        self._bars: dict[str, TaskID] = {}
        self._bars_lock = threading.Lock()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} % {task.fields[stage]}"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Terminal:
        self._echo = _echo(None)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        _echo(self._echo)

    def say(self, port: str, text: str) -> None:
        line = f"[bold]{escape(self._name(port))}[/bold] {escape(text)}"
        self._console.print(line, highlight=False)

    def progress(self, port: str, stage: str, part: float) -> None:
        self._progress.update(self._bar(port), completed=100 * part, stage=stage)

    def ask(self, port: str, question: str, seconds: float) -> bool | None:
        with self._asking:
            self._answers.forget()
            self._console.bell()
            self.say(port, f"{question}  [y/n, {seconds:.0f} s]")
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                answer = self._answers.next(left)
                if answer in YES | NO:
                    self.say(port, "yes" if answer in YES else "no")
                    return answer in YES
            self.say(port, "no answer")
            return None

    def ended(self, port: str, unit: str, fault: str) -> None:
        self._console.bell()
        colour, word = ("white on red", "FAIL 失败") if fault else ("black on green", "PASS 通过")
        self._progress.update(self._bar(port), stage=f"{unit} {word.split()[0]}")
        line = f"[{colour}] {word} [/] [bold]{escape(unit)}[/bold] {escape(fault)}"
        self._console.print(line, highlight=False)

    def _bar(self, port: str) -> TaskID:
        with self._bars_lock:
            if port not in self._bars:
                self._bars[port] = self._progress.add_task(self._name(port), total=100, stage="")
            return self._bars[port]

    def _name(self, port: str) -> str:
        return f"{port} {self._places.get(port, '')}".strip()
