"""Answers calls for games of ordinary methods. A state's bytes are its history."""

from __future__ import annotations

import random
import struct
from collections import OrderedDict
from typing import Any

import numpy as np

from . import game_pb2 as pb
from ._game import CHANCE, OVER, Game, IllegalAction, role_names, speaks

KEYS, OBSERVATIONS = 1, 2
MOST_LIVE = 1 << 14


class Plain:
    """The desk of one game with its parameters: live objects by history.

    An object is moved along when its state is stepped, not copied: most states are
    stepped once. One that is needed again is made again from its history.
    """

    def __init__(self, kind: type[Game], params: dict[str, Any]) -> None:
        self.kind, self.params = kind, params
        self.live: OrderedDict[bytes, Game] = OrderedDict()
        self.first = kind(**params)

    def describe(self) -> pb.Description:
        g = self.first
        return pb.Description(
            name=g.name or self.kind.__name__.lower(), summary=g.summary, seats=g.seats, roles=role_names(g),
            actions=g.actions, max_length=g.max_length, min_return=g.min_return, max_return=g.max_return, sum=g.sum,
            chance=g.chance and not g.sampled, sampled=g.sampled, hidden=g.hidden, recall=g.recall,
            tensor=list(g.tensor), speaks=speaks(self.kind), keyless=g.keyless, replays=g.replays, protocol=1,
        )

    def find(self, history: bytes) -> Game:
        """Takes the state of a history out of the live ones, or makes it again."""
        game = self.live.pop(history, None)
        if game is None:
            game = self.kind(**self.params)
            for (action,) in struct.iter_unpack("<i", history):
                game.apply(action)  # which was legal when the history was made
        return game

    def keep(self, history: bytes, game: Game) -> None:
        self.live[history] = game
        if len(self.live) > MOST_LIVE:
            self.live.popitem(last=False)

    def step(self, request: pb.StepRequest) -> pb.StepReply:
        states, actions, want, seat = request.states, request.actions, request.want, request.seat
        turns: list[int] = []
        legal: list[int] = []
        legal_ends: list[int] = []
        odds: list[float] = []
        returns: list[float] = []
        longer: list[bytes] = []
        ends: list[int] = []
        keys: list[bytes] = []
        seen: list[Any] = []
        failures: list[pb.Failure] = []
        begin = total = 0
        pack = struct.Struct("<i").pack
        for i, end in enumerate(request.ends):
            history = states[begin:end]
            begin = end
            game = None
            try:
                game = self.find(history)
                if actions:
                    action = actions[i]
                    play(game, action)
                    history += pack(action)
                turn = game.turn()
                options = [] if turn == OVER else game.legal() if not (turn == CHANCE and game.sampled) else []
                looking = turn if seat == 0 else seat - 1
                key = b""
                if want & KEYS and looking >= 0:
                    text = game.key(looking)
                    key = text.encode() if isinstance(text, str) else text
                if want & OBSERVATIONS and looking >= 0:
                    view = np.asarray(game.observe(looking), dtype="<f4")
                    if view.shape != tuple(game.tensor):
                        raise ValueError(f"observe returns the shape {view.shape}, tensor says {tuple(game.tensor)}")
                    seen.append(view)
                if turn == OVER:
                    returns.extend(game.returns())
                elif turn == CHANCE:
                    if not game.sampled:
                        odds.extend(game.odds())
                legal.extend(options)
                turns.append(turn)
                keys.append(key)
                self.keep(history, game)
            except Exception as e:  # noqa: BLE001 - an author's mistake becomes an answer
                if actions and len(history) == end - (request.ends[i - 1] if i else 0):
                    history += pack(actions[i])
                failures.append(pb.Failure(index=i, text=describe_error(e)))
                turns.append(OVER)
                keys.append(b"")
            legal_ends.append(len(legal))
            longer.append(history)
            total += len(history)
            ends.append(total)
        reply = pb.StepReply(turns=turns, actions=legal, action_ends=legal_ends, odds=odds, returns=returns, failures=failures, id=request.id)
        if actions:
            reply.states = b"".join(longer)
            reply.ends.extend(ends)
        if want & KEYS:
            at = 0
            for key in keys:
                at += len(key)
                reply.key_ends.append(at)
            reply.keys = b"".join(keys)
        if want & OBSERVATIONS and seen:
            reply.observations = np.concatenate([v.ravel() for v in seen]).tobytes()
        return reply

    def speak(self, request: pb.SpeakRequest) -> pb.SpeakReply:
        game = self.find(request.state)
        try:
            reply = pb.SpeakReply()
            if request.prompt:
                reply.prompt = game.prompt(request.seat)
            for action in request.say:
                reply.names.append(game.say(action))
            if request.HasField("hear"):
                try:
                    reply.action = game.hear(request.hear)
                except IllegalAction as e:
                    reply.refused = str(e)
            if request.HasField("draw"):
                reply.action = game.sample(random.Random(request.draw))
            return reply
        finally:
            self.keep(request.state, game)


def play(game: Game, action: int) -> None:
    """Plays an action that must be legal."""
    turn = game.turn()
    if turn == OVER:
        raise IllegalAction(f"illegal action {action}: the game is over")
    if not (turn == CHANCE and game.sampled) and action not in game.legal():
        raise IllegalAction(f"illegal action {action}: legal here are {list(game.legal())}")
    game.apply(action)


def describe_error(e: Exception) -> str:
    return str(e) if isinstance(e, IllegalAction) else f"{type(e).__name__}: {e}"
