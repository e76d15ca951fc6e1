"""Games of self-play a second while learning: a compiled JAX loop over pgx and Agon, side by side.

    pip install -r experiments/peers/jax/requirements.txt
    python experiments/peers/jax/selfplay.py [--updates 60] [--repeats 5] [--json] [GAME ...]

Both play 1,024 games with a network of 128-128 and take one step of PPO on all their turns,
again and again (ppo.py). In JAX an update, play and learning, is one jitted function: all games
go on until the longest can be over. Agon trains by its recipe of the game, without evaluation
and with one checkpoint, at the end; what is counted are the seconds of its timing.jsonl. The
first third of the updates is counted on neither side: JAX compiles in the first, Agon whenever
a batch has a new size. JAX and Agon take turns within every repeat, and medians are printed.
Let nothing else run.
"""

import argparse
import functools
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import jax
import jax.numpy as jnp
import numpy as np
import pgx

import ppo

ROOT = pathlib.Path(__file__).resolve().parents[3]
LONGEST = {"kuhn_poker": 3, "tic_tac_toe": 9}  # moves of a game
GAMES, HIDDEN = 1024, (128, 128)
BACKENDS = ["xla:cpu", "go"]
RATE, MAGNET, BETA1, DECAY = 1e-3, 0.05, 0.0, 0.95


def play(env, params, key):
    """Plays all games. Returns the turns [moves, games] and the returns [moves, games] of who moved."""

    def move(carry, key):
        state, total = carry
        states = state.observation.reshape(GAMES, -1).astype(jnp.float32)
        mask = state.legal_action_mask.astype(jnp.float32)
        going = ~state.terminated
        mask = jnp.where(going[:, None], mask, 1)
        logits, _ = ppo.forward(params, states)
        log_probs = ppo.log_softmax(logits, mask)
        action = jax.random.categorical(key, log_probs)
        behaviour = jnp.take_along_axis(log_probs, action[:, None], 1)[:, 0]
        turn = states, mask, action, behaviour, going.astype(jnp.float32), state.current_player
        state = jax.vmap(env.step)(state, action)
        return (state, total + state.rewards), turn

    deal, *keys = jax.random.split(key, 1 + LONGEST[env.id])
    state = jax.vmap(env.init)(jax.random.split(deal, GAMES))
    (_, total), turns = jax.lax.scan(move, (state, state.rewards), jnp.stack(keys))
    *columns, mover = turns
    return columns, jnp.take_along_axis(total[None], mover[..., None], 2)[..., 0]


def learn(env, state, baseline, key):
    """One update: play, advantages over a running mean of each role's returns, a step."""
    (states, mask, action, behaviour, weight), returns = play(env, state[1], key)
    baseline = DECAY * baseline + (1 - DECAY) * returns[:2].mean(1)  # both roles have moved after two moves
    advantage = returns - baseline[jnp.arange(len(returns)) % 2][:, None]
    batch = [x.reshape(-1, *x.shape[2:]) for x in (states, mask, action, behaviour, advantage, returns, weight)]
    state, stats = ppo.update(state, batch, jnp.array([RATE, 0, MAGNET, 0], jnp.float32), BETA1)
    return state, baseline, stats


def measure_jax(updates):
    """A function that gives games a second of a game; each is compiled once."""

    @functools.cache
    def compiled(game):
        env = pgx.make(game)
        width, actions = np.prod(env.observation_shape), env.num_actions
        state = ppo.start(ppo.draw(jax.random.key(1), int(width), HIDDEN, actions))
        return jax.jit(functools.partial(learn, env), donate_argnums=(0, 1)), [state, jnp.zeros(2)]

    def games_per_second(game):
        update, carry = compiled(game)
        for i in range(updates):
            if i == updates // 3:
                began = time.perf_counter()
            *carry[:], stats = update(*carry, jax.random.key(i))
            np.asarray(stats)
        return {"games": GAMES * (updates - updates // 3) / (time.perf_counter() - began)}

    return games_per_second


def measure_agon(program, folder, game, backend, updates):
    """Games a second of Agon, and the milliseconds of play and learning in an update."""
    settings = {
        "updates": updates, "games": GAMES, "policy.hidden": list(HIDDEN), "epochs": 1, "minibatches": 1,
        "magnet.weight": MAGNET, "optimizer.rate": RATE, "optimizer.beta1": BETA1,
        "evaluate.every": updates + 1, "evaluate.exploitability": "off", "evaluate.against": [], "checkpoint.every": updates,
    }
    out = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "run"
    command = [program, "train", game, "--backend", backend, "--out", str(out)]
    command += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    lines = [json.loads(line) for line in (out / "timing.jsonl").read_text().splitlines()][updates // 3 : -1]
    total, played, learnt = (statistics.fmean(x[k] for x in lines) for k in ("seconds", "seconds_play", "seconds_learn"))
    return {"games": GAMES / total, "play": 1000 * played, "learn": 1000 * learnt}


def measure(program, folder, games, updates, repeats):
    """{(game, who): measurements}"""
    theirs, found = measure_jax(updates), {}
    for _ in range(repeats):
        for game in games:
            found.setdefault((game, "jax"), []).append(theirs(game))
            for backend in BACKENDS:
                found.setdefault((game, backend), []).append(measure_agon(program, folder, game, backend, updates))
    return found


def table(found, games):
    """Medians as Markdown."""
    head = ["game", "JAX over pgx", *(cell for b in BACKENDS for cell in (f"Agon {b}", "ratio", "play, ms", "learning, ms"))]
    print(f"\ngames of self-play a second\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for game in games:

        def median(who, key):
            return statistics.median(x[key] for x in found[game, who])

        peer = median("jax", "games")
        cells = [game, f"{peer:,.0f}"]
        for b in BACKENDS:
            x = median(b, "games")
            cells += [f"{x:,.0f}", f"{x / peer:.2f}", f"{median(b, 'play'):.1f}", f"{median(b, 'learn'):.1f}"]
        print(f"| {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", metavar="GAME", nargs="*", choices=[[], *LONGEST], help=f"which games (default {', '.join(LONGEST)})")
    parser.add_argument("--updates", type=int, default=60, help="of each measurement (default 60)")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a game and program instead of a table")
    args = parser.parse_args()
    games = args.games or list(LONGEST)
    jax.config.update("jax_platforms", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "agon")
        subprocess.run(["go", "build", "-o", program, "./cmd/agon"], cwd=ROOT, check=True)
        found = measure(program, folder, games, args.updates, args.repeats)
    if args.json:
        for (game, who), values in found.items():
            print(json.dumps({"game": game, "who": who, "measured": values}))
        return
    table(found, games)


if __name__ == "__main__":
    main()
