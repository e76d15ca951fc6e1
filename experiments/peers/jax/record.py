"""Records gradient steps of JAX (ppo.py), which package trainer's test repeats.

    python experiments/peers/jax/record.py > trainer/testdata/jax_update.json

A small network on leduc_poker's states takes three steps on turns with all terms of the loss,
among them forbidden actions, ratios beyond PPO's bounds and a gradient beyond its own.
"""

import json

import jax
import numpy as np

import ppo

WIDTH, ACTIONS, HIDDEN, TURNS, STEPS = 30, 3, (5, 4), 6, 3
COEFFICIENTS = {"rate": 0.01, "entropy": 0.02, "magnet": 0.05, "value": 0.5}


def numbers(x):
    """The numbers of an array, with the digits that float32 has."""
    return [float(f"{v:.9g}") for v in np.asarray(x, np.float64).ravel()]


def main():
    jax.config.update("jax_platforms", "cpu")
    r = np.random.default_rng(1)
    params = [np.round(r.standard_normal(s) / s[0] ** 0.5, 3).astype(np.float32) for s in ppo.shapes(WIDTH, HIDDEN, ACTIONS)]
    coefficients = np.array(list(COEFFICIENTS.values()), np.float32)
    state, steps = ppo.start(params), []
    start = [numbers(p) for p in params]
    for _ in range(STEPS):
        states = np.round(r.standard_normal((TURNS, WIDTH)), 2).astype(np.float32)
        allowed = [sorted(int(a) for a in r.choice(ACTIONS, n, replace=False)) for n in (3, 2, 3, 2, 3, 1)]
        mask = np.array([[a in some for a in range(ACTIONS)] for some in allowed], np.float32)
        action = np.array([r.choice(some) for some in allowed], np.int32)
        behaviour, advantage, target = (np.round(x, 3).astype(np.float32) for x in (np.log(r.uniform(0.2, 1, TURNS)), 10 * r.standard_normal(TURNS), r.standard_normal(TURNS)))
        batch = states, mask, action, behaviour, advantage, target, np.ones(TURNS, np.float32)
        state, stats = jax.jit(ppo.update)(state, batch, coefficients)
        steps.append({
            "turns": [
                {"state": numbers(states[i]), "allowed": allowed[i], "action": int(action[i]), "behaviour": float(f"{behaviour[i]:.9g}"),
                 "advantage": float(f"{advantage[i]:.9g}"), "return": float(f"{target[i]:.9g}")}
                for i in range(TURNS)
            ],
            "stats": numbers(stats), "weights": [numbers(p) for p in state[1]],
        })
    print(json.dumps({"jax": jax.__version__, "hidden": HIDDEN, "coefficients": COEFFICIENTS, "start": start, "steps": steps}))


if __name__ == "__main__":
    main()
