"""Agents of ordinary functions: a question in, an action or words out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from . import game_pb2 as pb


@dataclass(frozen=True)
class Question:
    """Asks for one action. It holds all that the seat may know."""

    game: str  # as in liars_dice(numdice=1)
    seat: int  # who is to move, from 0
    actions: list[int]  # what is legal, ascending
    names: list[str]  # of the actions
    prompt: str  # what the seat is told; "" in games without words
    key: bytes  # its information state; b"" in games without keys
    observation: list[float]  # its tensor, flat
    random: random.Random  # where the agent's randomness should come from: then equal seeds play equal games
    left: float | None  # seconds for this decision; None for no limit


@dataclass(frozen=True)
class Decision:
    """An action, or text in which it is to be found, or an action with something said."""

    action: int | None = None  # None: the last action in text counts
    text: str = ""


Act = Callable[[Question], "int | str | Decision"]


def question_of(game: str, q: pb.Question) -> Question:
    return Question(
        game=game, seat=q.seat, actions=list(q.actions), names=list(q.names), prompt=q.prompt, key=q.key,
        observation=list(q.observation), random=random.Random(q.seed), left=q.left / 1e9 if q.left else None,
    )


def decision_of(said: int | str | Decision) -> pb.Decision:
    if isinstance(said, str):
        said = Decision(text=said)
    elif not isinstance(said, Decision):
        said = Decision(action=int(said))
    return pb.Decision(action=said.action, text=said.text)


def answer_all(act: Act, request: pb.ActRequest) -> pb.ActReply:
    return pb.ActReply(decisions=[decision_of(act(question_of(request.game, q))) for q in request.questions])
