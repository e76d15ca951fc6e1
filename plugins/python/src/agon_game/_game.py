"""The class that a game in Python is written as."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, ClassVar

CHANCE = -1
"""What turn returns where chance is to move."""

OVER = -4
"""What turn returns at the end."""


class IllegalAction(ValueError):
    """Raised by apply for an action that is not legal. The state is as before."""


class Game:
    """A state of a game, and the constants of the game as class attributes.

    An instance is one game under way: __init__ makes the start and takes the
    game's parameters, if there are any, as keyword arguments. An instance holds
    no randomness: chance is a turn like any other, whose outcome the host draws.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    seats: ClassVar[int] = 2
    roles: ClassVar[Sequence[str]] = ()
    """Names of the seats' parts; first, second, … where empty."""
    actions: int = 0
    """Player actions are 0 to actions-1."""
    max_length: int = 0
    """The most player actions in an episode."""
    min_return: float = -1.0
    max_return: float = 1.0
    sum: float = 0.0
    """What all seats' returns add up to; without meaning with one seat."""
    tensor: Sequence[int] = ()
    """Shape of what observe returns."""
    chance: ClassVar[bool] = False
    """There are turns of chance, which list their outcomes."""
    sampled: ClassVar[bool] = False
    """Chance is too wide to list: sample draws."""
    hidden: ClassVar[bool] = False
    """Some seat does not see everything."""
    recall: ClassVar[bool] = False
    """The observation tells all that the key does."""
    keyless: ClassVar[bool] = False
    """There are no keys; what needs them refuses the game."""
    replays: ClassVar[bool] = False
    """A state is costly to make again from its history."""

    def turn(self) -> int:
        """Who moves: a seat from 0, CHANCE or OVER."""
        raise NotImplementedError

    def legal(self) -> Sequence[int]:
        """The legal actions, or the outcomes of chance, ascending."""
        raise NotImplementedError

    def odds(self) -> Sequence[float]:
        """The odds of chance's outcomes, as legal lists them."""
        n = len(self.legal())
        return [1.0 / n] * n

    def sample(self, generator: random.Random) -> int:
        """Draws an outcome where chance is sampled."""
        raise NotImplementedError

    def apply(self, action: int) -> None:
        """Plays an action that is legal here."""
        raise NotImplementedError

    def returns(self) -> Sequence[float]:
        """What every seat gets, at the end."""
        raise NotImplementedError

    def key(self, seat: int) -> bytes | str:
        """What a seat knows: the same for two histories if and only if it cannot tell them apart."""
        raise NotImplementedError

    def observe(self, seat: int) -> Any:
        """What a network in this seat sees: numbers in the shape of tensor."""
        raise NotImplementedError

    def prompt(self, seat: int) -> str:
        """The rules, then what happened as far as the seat may know."""
        return f"{self.name}, seat {seat}."

    def say(self, action: int) -> str:
        """Names an action. Names are unique at a turn."""
        return str(action)

    def hear(self, text: str) -> int:
        """Finds the last action that a text names."""
        found, end = -1, -1
        for action in self.legal():
            name = self.say(action)
            at = text.rfind(name)
            if at + len(name) > end and at >= 0:
                found, end = action, at + len(name)
        if end < 0:
            raise IllegalAction(f"no action found in {text[-60:]!r}")
        return found


def speaks(kind: type[Game]) -> bool:
    """Whether a game has words of its own."""
    return kind.prompt is not Game.prompt or kind.say is not Game.say


def role_names(game: type[Game] | Game) -> list[str]:
    """The roles, or the words that stand for them."""
    if game.roles:
        return list(game.roles)
    ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
    return [ordinals[i] if i < len(ordinals) else f"seat{i}" for i in range(game.seats)]
