"""Serves environments of other libraries as games of Agon.

    python -m agon_game.wrap openspiel kuhn_poker
    python -m agon_game.wrap gymnasium CartPole-v1 --max 500
    python -m agon_game.wrap pettingzoo pettingzoo.classic.tictactoe_v3
    python -m agon_game.wrap textarena KuhnPoker-v0 --actions '[check]' '[bet]' '[call]' '[fold]'
    python -m agon_game.wrap openenv http://127.0.0.1:8000

`agon plugin wrap` writes a plugin's folder with such a command. Most of these
environments cannot be copied, so a state is made again by playing its history; those
whose chance is hidden in a generator begin with one outcome of chance, the seed.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ._game import CHANCE, OVER, Game
from ._serve import serve

MOST_SEED = 2**31 - 1


class Seeded(Game):
    """An environment whose chance is fixed by the seed that it is reset with."""

    sampled: ClassVar[bool] = True
    replays: ClassVar[bool] = True
    options: ClassVar[argparse.Namespace]

    def __init__(self) -> None:
        self.begun = False

    def sample(self, generator: random.Random) -> int:
        return generator.randint(0, MOST_SEED)

    def turn(self) -> int:
        return self.mover() if self.begun else CHANCE

    def apply(self, action: int) -> None:
        if self.begun:
            self.play(action)
        else:
            self.begin(action)
            self.begun = True

    def begin(self, seed: int) -> None:
        raise NotImplementedError

    def mover(self) -> int:
        raise NotImplementedError

    def play(self, action: int) -> None:
        raise NotImplementedError


def gymnasium(name: str, options: argparse.Namespace) -> type[Game]:
    """One seat; the return is the sum of the rewards."""
    import gymnasium as gym

    env = gym.make(name)
    if not isinstance(env.action_space, gym.spaces.Discrete):
        raise SystemExit(f"{name}: its actions are {env.action_space}: only discrete ones can be played")
    count = int(env.action_space.n)
    spec_length = env.spec.max_episode_steps if env.spec else None

    class Gym(Seeded):
        seats = 1
        roles = ("player",)
        actions = count
        max_length = spec_length or options.max_length
        min_return, max_return = options.min, options.max
        tensor = (int(gym.spaces.flatdim(env.observation_space)),)

        def begin(self, seed: int) -> None:
            self.env = gym.make(name)
            self.seen, _ = self.env.reset(seed=seed)
            self.env.action_space.seed(seed)
            self.total, self.ended, self.past = 0.0, False, self.text()

        def text(self) -> str:
            return np.array2string(np.asarray(self.flat()), precision=9, threshold=10**6)

        def flat(self) -> Any:
            return gym.spaces.flatten(self.env.observation_space, self.seen)

        def mover(self) -> int:
            return OVER if self.ended else 0

        def legal(self) -> Sequence[int]:
            return range(self.actions) if self.begun else []

        def play(self, action: int) -> None:
            self.seen, reward, terminated, truncated, _ = self.env.step(action)
            self.total += float(reward)
            self.ended = bool(terminated or truncated)
            self.past += f"|{action}|{self.text()}"

        def returns(self) -> list[float]:
            return [self.total]

        def key(self, seat: int) -> str:
            return self.past if self.begun else ""

        def observe(self, seat: int) -> Any:
            return self.flat() if self.begun else np.zeros(self.tensor)

    Gym.name = plain(name)
    return Gym


def pettingzoo(module: str, options: argparse.Namespace) -> type[Game]:
    """An AEC environment with an action mask; returns are the sums of the rewards."""
    make = importlib.import_module(module).env
    env = make()
    env.reset(seed=0)
    agents = list(env.possible_agents)
    space = env.observation_space(agents[0])
    board = space["observation"] if hasattr(space, "spaces") else space
    masked = hasattr(space, "spaces") and "action_mask" in space.spaces

    class Zoo(Seeded):
        seats = len(agents)
        roles = tuple(agents)
        actions = int(env.action_space(agents[0]).n)
        max_length = options.max_length
        min_return, max_return, sum = options.min, options.max, options.sum
        hidden = True
        keyless = True
        tensor = tuple(board.shape)

        def begin(self, seed: int) -> None:
            self.env = make()
            self.env.reset(seed=seed)
            self.totals = dict.fromkeys(agents, 0.0)
            self.settle()

        def settle(self) -> None:
            """Adds up rewards, and takes agents out that are done."""
            for agent, reward in self.env.rewards.items():
                self.totals[agent] += float(reward)
            while self.env.agents and (self.env.terminations[self.env.agent_selection] or self.env.truncations[self.env.agent_selection]):
                self.env.step(None)

        def mover(self) -> int:
            return agents.index(self.env.agent_selection) if self.env.agents else OVER

        def legal(self) -> Sequence[int]:
            if not self.begun:
                return []
            if not masked:
                return range(self.actions)
            return [int(a) for a in np.flatnonzero(self.env.observe(self.env.agent_selection)["action_mask"])]

        def play(self, action: int) -> None:
            self.env.step(action)
            self.settle()

        def returns(self) -> list[float]:
            return [self.totals[agent] for agent in agents]

        def observe(self, seat: int) -> Any:
            if not self.begun:
                return np.zeros(self.tensor)
            seen = self.env.observe(agents[seat])
            return np.asarray(seen["observation"] if isinstance(seen, dict) else seen, dtype=np.float32)

    Zoo.name = plain(module.rsplit(".", 1)[-1])
    return Zoo


def openspiel(name: str, options: argparse.Namespace) -> type[Game]:
    """All of OpenSpiel's turn-based games; simultaneous ones are played in turn."""
    import pyspiel

    game = pyspiel.load_game_as_turn_based(name)
    kind = game.get_type()
    chance = kind.chance_mode
    information = kind.provides_information_state_string
    by_information = kind.provides_information_state_tensor
    shape = game.information_state_tensor_shape() if by_information else game.observation_tensor_shape()

    class Spiel(Game):
        seats = game.num_players()
        actions = game.num_distinct_actions()
        max_length = game.max_game_length()
        min_return, max_return = game.min_utility(), game.max_utility()
        sum = game.utility_sum() or 0.0
        hidden = kind.information != kind.Information.PERFECT_INFORMATION
        recall = by_information
        keyless = not information
        tensor = tuple(shape)

        def __init__(self) -> None:
            self.state = game.new_initial_state()

        def turn(self) -> int:
            if self.state.is_terminal():
                return OVER
            return CHANCE if self.state.is_chance_node() else int(self.state.current_player())

        def legal(self) -> Sequence[int]:
            if self.state.is_chance_node():
                return [int(a) for a, p in self.state.chance_outcomes() if p > 0]
            return list(self.state.legal_actions())

        def odds(self) -> Sequence[float]:
            return [p for _, p in self.state.chance_outcomes() if p > 0]

        def apply(self, action: int) -> None:
            self.state.apply_action(action)

        def returns(self) -> Sequence[float]:
            return list(self.state.returns())

        def key(self, seat: int) -> str:
            return str(self.state.information_state_string(seat))

        def observe(self, seat: int) -> Any:
            read = self.state.information_state_tensor if by_information else self.state.observation_tensor
            return np.reshape(read(seat), self.tensor)

        def prompt(self, seat: int) -> str:
            seen = self.state.observation_string(seat) if kind.provides_observation_string else ""
            return f"{name}, seat {seat}.\n{seen}"

        def say(self, action: int) -> str:
            return str(self.state.action_to_string(self.state.current_player(), action))

    Spiel.chance = chance != kind.ChanceMode.DETERMINISTIC
    Spiel.name = plain(name)
    return Spiel


def textarena(name: str, options: argparse.Namespace) -> type[Game]:
    """A TextArena environment, whose actions are texts that are listed here."""
    import textarena as ta

    if not options.actions:
        raise SystemExit(f"textarena {name}: its actions are free text: list those to play with --actions")
    texts = list(options.actions)

    def bare() -> Any:
        env = ta.make(name)
        while hasattr(env, "env"):  # the wrappers only rewrite texts
            env = env.env
        return env

    class Arena(Seeded):
        seats = options.seats
        actions = len(texts)
        max_length = options.max_length
        min_return, max_return, sum = options.min, options.max, options.sum
        hidden = True
        keyless = True
        tensor = (1,)

        def begin(self, seed: int) -> None:
            random.seed(seed)  # some of its games draw from the global generator
            self.env = bare()
            self.env.reset(num_players=self.seats, seed=seed)
            self.after = random.getstate()
            self.fine: list[int] | range | None = None

        def mover(self) -> int:
            return OVER if self.env.state.done else int(self.env.state.current_player_id)

        def legal(self) -> Sequence[int]:
            """Those texts that a copy of the environment does not call invalid."""
            if not self.begun:
                return []
            if self.fine is None:
                self.fine = self.valid() or range(self.actions)
            return self.fine

        def valid(self) -> list[int]:
            import copy

            fine = []
            for action, text in enumerate(texts):
                env = copy.deepcopy(self.env)
                env.state.error_count = 0
                random.setstate(self.after)
                env.step(text)
                if not env.state.error_count and not any(info.get("invalid_move") for info in env.state.game_info.values()):
                    fine.append(action)
            return fine

        def play(self, action: int) -> None:
            self.fine = None
            random.setstate(self.after)
            self.env.step(texts[action])
            self.after = random.getstate()

        def returns(self) -> list[float]:
            rewards = self.env.state.rewards or {}
            return [float(rewards.get(seat, 0)) for seat in range(self.seats)]

        def observe(self, seat: int) -> list[float]:
            return [0.0]

        def prompt(self, seat: int) -> str:
            if not self.begun:
                return name
            seen = self.env.state.observations[seat] if hasattr(self.env.state, "observations") else []
            return "\n".join(str(part[1]) if isinstance(part, tuple) else str(part) for part in seen) or name

        def say(self, action: int) -> str:
            return texts[action] if self.begun and 0 <= action < len(texts) else str(action)

    Arena.name = plain(name)
    return Arena


def openenv(url: str, options: argparse.Namespace) -> type[Game]:
    """An OpenEnv server as a game of one seat, with OpenSpiel's fields."""
    from openenv.core import GenericEnvClient

    def session() -> Any:
        client = GenericEnvClient(base_url=url).sync()
        client.connect()
        return client

    probe = session().reset(seed=0).observation
    if "legal_actions" not in probe or "info_state" not in probe:
        raise SystemExit(f"openenv {url}: its observations have {sorted(probe)}: expected legal_actions and info_state")

    class Remote(Seeded):
        seats = 1
        roles = ("player",)
        actions = options.action_count
        max_length = options.max_length
        min_return, max_return = options.min, options.max
        tensor = (len(probe["info_state"]),)
        client: ClassVar[Any] = None

        def begin(self, seed: int) -> None:
            self.env = session()
            self.take(self.env.reset(seed=seed))
            self.total, self.past = 0.0, str(self.seen["info_state"])

        def take(self, result: Any) -> None:
            self.seen, self.ended, self.reward = result.observation, bool(result.done), float(result.reward or 0)

        def mover(self) -> int:
            return OVER if self.ended else 0

        def legal(self) -> Sequence[int]:
            return sorted(self.seen["legal_actions"]) if self.begun else []

        def play(self, action: int) -> None:
            self.take(self.env.step({"action_id": action}))
            self.total += self.reward
            self.past += f"|{action}|{self.seen['info_state']}"
            if self.ended:
                self.env.disconnect()

        def returns(self) -> list[float]:
            return [self.total]

        def key(self, seat: int) -> str:
            return self.past if self.begun else ""

        def observe(self, seat: int) -> Any:
            return np.asarray(self.seen["info_state"]) if self.begun else np.zeros(self.tensor)

    Remote.name = "openenv"
    return Remote


def plain(name: str) -> str:
    """A name that Agon's grammar takes."""
    return "".join(c if c.isalnum() else "_" for c in name.split("(")[0]).lower()


KINDS = {"gymnasium": gymnasium, "openenv": openenv, "openspiel": openspiel, "pettingzoo": pettingzoo, "textarena": textarena}


def main() -> None:
    parser = argparse.ArgumentParser(prog="agon_game.wrap", description="Serve an environment of another library as a game of Agon.")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("name", help="the environment's, as its library knows it; a module for pettingzoo, an address for openenv")
    parser.add_argument("--seats", type=int, default=2, help="players (textarena)")
    parser.add_argument("--actions", nargs="*", default=[], help="the texts that can be said (textarena)")
    parser.add_argument("--action-count", type=int, default=64, help="actions are below this number (openenv)")
    parser.add_argument("--min", type=float, default=-1.0, help="the least return")
    parser.add_argument("--max", type=float, default=1.0, help="the greatest return")
    parser.add_argument("--sum", type=float, default=0.0, help="what the returns of all seats add up to")
    parser.add_argument("--max-length", type=int, default=1000, help="the most actions of an episode, where the library does not say")
    options = parser.parse_args()
    try:
        kind = KINDS[options.kind](options.name, options)
    except ImportError as e:
        raise SystemExit(f"{options.kind}: {e}: install it for {sys.executable}") from None
    serve(kind)


if __name__ == "__main__":
    main()
