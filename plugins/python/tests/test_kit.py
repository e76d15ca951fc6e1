"""The kit by itself: replies to requests, without a host."""

import random
import sys
from pathlib import Path

import pytest
from agon_game import OVER, Decision, IllegalAction
from agon_game import game_pb2 as pb
from agon_game._agent import answer_all
from agon_game._plain import Plain
from agon_game._serve import parse
from agon_game._vector import Vectorised

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "python"))

import kuhn_player  # noqa: E402
import kuhn_poker  # noqa: E402
import leduc_poker  # noqa: E402
import nim  # noqa: E402
import tic_tac_toe  # noqa: E402
import tic_tac_toe_vector  # noqa: E402

GAMES = [nim.Nim, kuhn_poker.KuhnPoker, leduc_poker.LeducPoker, tic_tac_toe.TicTacToe]


def request(states, actions=(), want=0, seat=0):
    out = pb.StepRequest(states=b"".join(states), actions=actions, want=want, seat=seat)
    total = 0
    for state in states:
        total += len(state)
        out.ends.append(total)
    return out


def split(data, ends):
    return [data[a:b] for a, b in zip([0, *ends], ends)]


def play(desk, seed, count=8):
    """Random games side by side; yields each reply."""
    choose = random.Random(seed)
    view = desk.step(request([b""] * count))
    states, actions = [b""] * count, split(view.actions, view.action_ends)
    while states:
        chosen = [choose.choice(list(some)) for some in actions]
        reply = desk.step(request(states, chosen, want=3))
        assert not reply.failures
        yield reply
        states, actions = split(reply.states, reply.ends), split(reply.actions, reply.action_ends)
        going = [i for i, turn in enumerate(reply.turns) if turn != OVER]
        states, actions = [states[i] for i in going], [actions[i] for i in going]


@pytest.mark.parametrize("kind", GAMES)
def test_a_state_is_restored_from_its_bytes(kind):
    one, other = Plain(kind, {}), Plain(kind, {})
    for reply in play(one, 1):
        states = split(reply.states, reply.ends)
        again = other.step(request(states, want=3))  # which never saw them
        assert again.turns == reply.turns and again.keys == reply.keys and again.observations == reply.observations


def test_the_vectorised_game_is_the_plain_one():
    plain, vector = Plain(tic_tac_toe.TicTacToe, {}), Vectorised(tic_tac_toe_vector.TicTacToe, {})
    for a, b in zip(play(plain, 3), play(vector, 3)):
        assert a.turns == b.turns and a.actions == b.actions and a.returns == b.returns and a.observations == b.observations


@pytest.mark.parametrize("desk", [Plain(tic_tac_toe.TicTacToe, {}), Vectorised(tic_tac_toe_vector.TicTacToe, {})])
def test_illegal_actions_fail_alone(desk):
    first = desk.step(request([b"", b""], [4, 0]))
    reply = desk.step(request(split(first.states, first.ends), [4, 4]))
    assert [f.index for f in reply.failures] == [0] and "illegal action 4" in reply.failures[0].text
    assert list(reply.turns) == [OVER, 0]
    for action in (-1, 9):
        assert desk.step(request([b""], [action])).failures


def test_an_authors_mistake_becomes_a_failure():
    class Broken(nim.Nim):
        def observe(self, seat):
            return [1.0]

    reply = Plain(Broken, {}).step(request([b""], [1], want=2))
    assert "observe returns the shape (1,), tensor says (12,)" in reply.failures[0].text


def test_words():
    desk = Plain(nim.Nim, {"sticks": 2})
    reply = desk.speak(pb.SpeakRequest(prompt=True, say=[1, 2], hear="I take 1, no, take 2."))
    assert "2 are left" in reply.prompt and list(reply.names) == ["take 1", "take 2"] and reply.action == 2
    assert "no action found" in desk.speak(pb.SpeakRequest(hear="pass")).refused


def test_parameters():
    assert parse("rows=5,fast=true,rate=0.5,name=x") == {"rows": 5, "fast": True, "rate": 0.5, "name": "x"}
    with pytest.raises(ValueError, match="expected name=value"):
        parse("rows")
    with pytest.raises(TypeError):
        Plain(nim.Nim, {"rows": 5})


def test_moves_are_not_kept_forever():
    desk = Plain(nim.Nim, {"sticks": 3000})
    state = b""
    for _ in range(2000):
        state = desk.step(request([state], [1])).states
    assert len(desk.live) == 1


def test_illegal_action_is_a_value_error():
    assert issubclass(IllegalAction, ValueError)


def test_an_agent_answers_every_question():
    ask = pb.ActRequest(game="kuhn_poker", questions=[
        pb.Question(seat=1, actions=[0, 1], names=["Pass", "Bet"], key=b"2p", observation=[0.5], seed=7, left=1_500_000_000),
        pb.Question(actions=[0, 1], key=b"0pb"),
    ])
    seen = []

    def act(q):
        seen.append(q)
        return kuhn_player.act(q)

    reply = answer_all(act, ask)
    assert [a.action for a in reply.decisions] == [1, 0]  # a king bets, a jack does not call
    assert (seen[0].game, seen[0].seat, seen[0].names, seen[0].left, seen[1].left) == ("kuhn_poker", 1, ["Pass", "Bet"], 1.5, None)


@pytest.mark.parametrize("said, action, text", [
    (3, 3, ""), ("I bet.", None, "I bet."), (Decision(1, "a bluff"), 1, "a bluff"), (Decision(text="pass"), None, "pass"),
])
def test_what_an_agent_may_say(said, action, text):
    (answer,) = answer_all(lambda q: said, pb.ActRequest(questions=[pb.Question(actions=[0])])).decisions
    assert (answer.action if answer.HasField("action") else None) == action and answer.text == text


def test_an_agent_draws_from_its_seed():
    def draws(seed):
        out = []
        answer_all(lambda q: out.append(q.random.random()) or 0, pb.ActRequest(questions=[pb.Question(actions=[0], seed=seed)]))
        return out

    assert draws(5) == draws(5) and draws(5) != draws(6)
