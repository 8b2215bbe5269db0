"""Local accounts: PINs, lockout, sessions. Nothing is default: the first account is made with a
one-time code that only who can read the machine's console or its data folder has."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from edge_agent.desk.rights import RIGHTS, Refused, Role
from edge_agent.desk.store import Store

log = logging.getLogger(__name__)

TRIES = 5  # wrong PINs in a row …
LOCKOUT_S = 300.0  # … cost so long, twice as much with each further one, up to LONGEST_S
LONGEST_S = 3600.0
SESSION_S = 30 * 24 * 3600.0  # a session nobody used so long is over
SHORTEST_PIN = 6
GUESS_S = 1.0  # for each wrong one-time code: all of them would take three years

# 19 MiB, two passes (OWASP's floor): 0.1 s on a Pi, and two at once fit beside the agent.
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@dataclass(slots=True)
class Session:
    """One browser that someone logged in on. `used` is Unix s of the last touch."""

    name: str
    role: Role
    used: float
    locked: bool = False
    csrf: str = field(default="", repr=False)

    def may(self, right: str) -> bool:
        return self.role in RIGHTS[right]


class Accounts:
    """`login` -> token for the cookie; `session(token)` -> Session | None, from memory."""

    def __init__(
        self, store: Store, folder: Path, idle_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self.idle_s, self._clock = store, idle_s, clock
        self._code_file = folder / "desk-first-code"
        self._sessions: dict[str, Session] = {}
        self._hashing = asyncio.Semaphore(2)  # more at once would cost the Pi its memory
        self._setting_up = asyncio.Lock()
        self._nobody = HASHER.hash(secrets.token_hex(8))
        self.names: dict[str, Role] = {}
        self.first_code: str | None = None
        self._load()

    def _load(self) -> None:
        def read(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM session WHERE used < ?", (self._clock() - SESSION_S,))
            for row in db.execute("SELECT name, role FROM account ORDER BY name"):
                self.names[row["name"]] = row["role"]
            for row in db.execute("SELECT * FROM session"):
                self._sessions[row["token"]] = Session(
                    row["name"], self.names[row["name"]], row["used"], bool(row["locked"])
                )

        self._store.now(read)
        if not self.names:
            self.first_code = f"{secrets.randbelow(10**8):08d}"
            try:
                handle = os.open(self._code_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "w") as file:
                    file.write(self.first_code + "\n")
            except OSError as error:  # a disk that refuses: the SOS page must be there
                log.error("%s; no first account can be made until a restart", error)

    # -- accounts ------------------------------------------------------------------------------

    async def set_up(self, code: str, name: str, pin: str) -> None:
        """The first account, a lead's. The code works once and no further."""
        async with self._setting_up:  # one guess a second, however many hands guess
            if self.first_code is None or not hmac.compare_digest(code, self.first_code):
                await asyncio.sleep(GUESS_S)
                raise Refused("err_code", 403)
            await self.create(name, "lead", pin)
            self.first_code = None
            self._code_file.unlink(missing_ok=True)

    async def create(self, name: str, role: Role, pin: str) -> None:
        """A new account, or a new role and PIN for one that is there (its sessions end)."""
        check_pin(pin)
        if self.names.get(name) == "lead" and role != "lead":
            self._keep_a_lead(name)
        made = await self._hash(pin)
        await self._store.do(
            lambda db: db.execute(
                "INSERT INTO account (name, role, hash) VALUES (?,?,?) ON CONFLICT (name)"
                " DO UPDATE SET role = excluded.role, hash = excluded.hash,"
                " misses = 0, free_at = 0",
                (name, role, made),
            )
        )
        self.names[name] = role
        await self._end_sessions(name)

    async def remove(self, name: str) -> None:
        if name not in self.names:
            raise Refused("err_no_account", 404)
        self._keep_a_lead(name)
        await self._store.do(lambda db: db.execute("DELETE FROM account WHERE name = ?", (name,)))
        del self.names[name]
        await self._end_sessions(name)

    def _keep_a_lead(self, name: str) -> None:
        if not any(role == "lead" for other, role in self.names.items() if other != name):
            raise Refused("err_last_lead")

    async def verify(self, name: str, pin: str) -> None:
        """Refused: a wrong PIN, or too many of them. Unknown names cost the same time."""
        row = await self._store.do(
            lambda db: db.execute("SELECT * FROM account WHERE name = ?", (name,)).fetchone()
        )
        now = self._clock()
        if row is not None and now < row["free_at"]:
            raise Refused("err_locked_out", 429)
        # Counted before it is looked at: guesses sent side by side count each.
        if row is not None:
            await self._store.do(lambda db: _miss(db, name, now))
        right = await self._matches(row["hash"] if row is not None else self._nobody, pin)
        if row is None or not right:
            raise Refused("err_pin", 403)
        await self._store.do(
            lambda db: db.execute(
                "UPDATE account SET misses = 0, free_at = 0 WHERE name = ?", (name,)
            )
        )

    async def _matches(self, made: str, pin: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(HASHER.verify, made, pin)
            except VerifyMismatchError:
                return False

    async def _hash(self, pin: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(HASHER.hash, pin)

    # -- sessions ------------------------------------------------------------------------------

    async def login(self, name: str, pin: str) -> str:
        """The new session's token. Refused as `verify`."""
        await self.verify(name, pin)
        token = secrets.token_urlsafe(32)
        now = self._clock()
        await self._store.do(
            lambda db: db.execute(
                "INSERT INTO session (token, name, used) VALUES (?,?,?)", (digest(token), name, now)
            )
        )
        self._sessions[digest(token)] = Session(name, self.names[name], now)
        return token

    def session(self, token: str | None) -> Session | None:
        """The session of a cookie. Left alone for too long, it comes back locked."""
        found = self._sessions.get(digest(token)) if token else None
        if found is None or token is None or self._clock() - found.used > SESSION_S:
            return None
        found.csrf = digest("csrf" + token)
        found.locked = found.locked or self._clock() - found.used > self.idle_s
        return found

    async def touch(self, token: str) -> None:
        """Someone moves at the page. Does not unlock."""
        if (found := self.session(token)) and not found.locked:
            found.used = self._clock()
            await self._keep(token, found)

    async def lock(self, token: str) -> None:
        if found := self.session(token):
            found.locked = True
            await self._keep(token, found)

    async def logout(self, token: str) -> None:
        self._sessions.pop(digest(token), None)
        await self._store.do(
            lambda db: db.execute("DELETE FROM session WHERE token = ?", (digest(token),))
        )

    async def _keep(self, token: str, kept: Session) -> None:
        await self._store.do(
            lambda db: db.execute(
                "UPDATE session SET used = ?, locked = ? WHERE token = ?",
                (kept.used, kept.locked, digest(token)),
            )
        )

    async def _end_sessions(self, name: str) -> None:
        for token in [t for t, session in self._sessions.items() if session.name == name]:
            del self._sessions[token]
        await self._store.do(lambda db: db.execute("DELETE FROM session WHERE name = ?", (name,)))


def check_pin(pin: str) -> None:
    """Refused: too short, one digit over and over, or counting up or down."""
    steps = {ord(b) - ord(a) for a, b in pairwise(pin)}
    if len(pin) < SHORTEST_PIN or steps in ({0}, {1}, {-1}):
        raise Refused("err_weak_pin", 400)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _miss(db: sqlite3.Connection, name: str, now: float) -> None:
    misses = db.execute("SELECT misses FROM account WHERE name = ?", (name,)).fetchone()[0] + 1
    over = misses - TRIES
    free_at = now + min(LONGEST_S, LOCKOUT_S * 2**over) if over >= 0 else 0
    db.execute("UPDATE account SET misses = ?, free_at = ? WHERE name = ?", (misses, free_at, name))
