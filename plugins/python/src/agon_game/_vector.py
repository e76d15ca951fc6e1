"""Games of numpy arrays: many states a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import game_pb2 as pb
from ._game import OVER, role_names

Rows = NDArray[np.uint8]


class VectorGame:
    """A game whose states are rows of bytes, stepped many at once.

    There is no chance here: games of chance are written as Game. An instance is
    made once with the game's parameters and keeps no state of any game.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    seats: ClassVar[int] = 2
    roles: ClassVar[Sequence[str]] = ()
    actions: int = 0
    max_length: int = 0
    min_return: float = -1.0
    max_return: float = 1.0
    sum: float = 0.0
    tensor: Sequence[int] = ()
    hidden: ClassVar[bool] = False
    recall: ClassVar[bool] = False

    def start(self) -> Rows:
        """The row in which every game starts. It must tell the game's whole history, or its key must not need more."""
        raise NotImplementedError

    def step(self, states: Rows, actions: NDArray[np.int32]) -> Rows:
        """Plays one legal action in each state and returns new rows."""
        raise NotImplementedError

    def turns(self, states: Rows) -> NDArray[np.int32]:
        """Who moves in each state: a seat or OVER."""
        raise NotImplementedError

    def legal(self, states: Rows) -> NDArray[np.bool_]:
        """Which actions are legal: [states, actions]. What it says of ended games is not looked at."""
        raise NotImplementedError

    def returns(self, states: Rows) -> NDArray[np.float64]:
        """What every seat gets: [states, seats], of ended games alone."""
        raise NotImplementedError

    def keys(self, states: Rows, seats: NDArray[np.int32]) -> Rows:
        """What a seat knows, a row for each state; the state itself where nothing is hidden."""
        return states

    def observe(self, states: Rows, seats: NDArray[np.int32]) -> NDArray[np.float32]:
        """What a network in a seat sees: [states, *tensor]."""
        raise NotImplementedError

    def prompt(self, state: Rows, seat: int) -> str:
        """What a seat is told in words."""
        return f"{self.name}, seat {seat}."

    def say(self, state: Rows, action: int) -> str:
        """Names an action."""
        return str(action)


class Vectorised:
    """Answers calls for a VectorGame."""

    def __init__(self, kind: type[VectorGame], params: dict[str, Any]) -> None:
        self.game = kind(**params)
        self.first = np.ascontiguousarray(self.game.start(), dtype=np.uint8).reshape(1, -1)
        self.speaks = kind.say is not VectorGame.say

    def describe(self) -> pb.Description:
        g = self.game
        return pb.Description(
            name=g.name or type(g).__name__.lower(), summary=g.summary, seats=g.seats, roles=role_names(g),  # type: ignore[arg-type]
            actions=g.actions, max_length=g.max_length, min_return=g.min_return, max_return=g.max_return, sum=g.sum,
            hidden=g.hidden, recall=g.recall, tensor=list(g.tensor), speaks=self.speaks, protocol=1,
        )

    def rows(self, states: bytes, ends: Sequence[int]) -> Rows:
        """Unpacks states; one of no bytes is the start."""
        width = self.first.shape[1]
        n = len(ends)
        if len(states) == n * width:
            return np.frombuffer(states, dtype=np.uint8).reshape(n, width)
        lengths = np.array(ends, dtype=np.int64)
        lengths[1:] -= lengths[:-1].copy()
        full = lengths == width
        if not (full | (lengths == 0)).all():
            raise ValueError(f"a state of this game has {width} bytes")
        out = np.repeat(self.first, n, axis=0)
        out[full] = np.frombuffer(states, dtype=np.uint8).reshape(-1, width)
        return out

    def step(self, request: pb.StepRequest) -> pb.StepReply:
        g = self.game
        states = self.rows(request.states, request.ends)
        n = len(states)
        reply = pb.StepReply(id=request.id)
        bad = np.zeros(n, dtype=bool)
        if request.actions:
            actions = np.array(request.actions, dtype=np.int32)
            within = (actions >= 0) & (actions < g.actions)
            chosen = np.where(within, actions, 0)
            bad = ~(within & g.legal(states)[np.arange(n), chosen]) | (g.turns(states) == OVER)
            if bad.any():
                good = states.copy()
                good[~bad] = g.step(states[~bad], chosen[~bad])
                states = good
                for i in np.flatnonzero(bad):
                    reply.failures.add(index=int(i), text=f"illegal action {actions[i]}")
            else:
                states = g.step(states, actions)
            states = np.ascontiguousarray(states, dtype=np.uint8)
            reply.states = states.tobytes()
            width = states.shape[1]
            reply.ends.extend(range(width, (n + 1) * width, width))
        turns = np.where(bad, OVER, g.turns(states)).astype(np.int32)
        going = turns != OVER
        reply.turns.extend(turns.tolist())
        mask = g.legal(states) & going[:, None]
        reply.actions.extend(np.nonzero(mask)[1].tolist())
        reply.action_ends.extend(np.cumsum(mask.sum(axis=1)).tolist())
        over = ~going & ~bad
        if over.any():
            reply.returns.extend(np.asarray(g.returns(states[over]), dtype=np.float64).ravel().tolist())
        self.views(request, reply, states, turns, bad)
        return reply

    def views(self, request: pb.StepRequest, reply: pb.StepReply, states: Rows, turns: NDArray[np.int32], bad: NDArray[np.bool_]) -> None:
        looking = turns if request.seat == 0 else np.full(len(turns), request.seat - 1, dtype=np.int32)
        shown = (looking >= 0) & ~bad
        if request.want & 1:
            keys = np.ascontiguousarray(self.game.keys(states[shown], looking[shown]), dtype=np.uint8)
            reply.keys = keys.tobytes()
            width = keys.shape[1] if keys.ndim > 1 else 0
            reply.key_ends.extend(np.cumsum(np.where(shown, width, 0)).tolist())
        if request.want & 2 and shown.any():
            seen = np.ascontiguousarray(self.game.observe(states[shown], looking[shown]), dtype="<f4")
            reply.observations = seen.tobytes()

    def speak(self, request: pb.SpeakRequest) -> pb.SpeakReply:
        g = self.game
        state = self.rows(request.state, [len(request.state)])
        reply = pb.SpeakReply()
        if request.prompt:
            reply.prompt = g.prompt(state[0], request.seat)
        for action in request.say:
            reply.names.append(g.say(state[0], action))
        if request.HasField("hear"):
            found, end = -1, -1
            for action in np.flatnonzero(g.legal(state)[0]).tolist():
                name = g.say(state[0], action)
                at = request.hear.rfind(name)
                if at >= 0 and at + len(name) > end:
                    found, end = action, at + len(name)
            if end < 0:
                reply.refused = f"no action found in {request.hear[-60:]!r}"
            else:
                reply.action = found
        return reply
