"""Records what package arena/rating is compared with.

    pip install open_spiel scipy choix cvxpy ecos matplotlib networkx
    python testdata/rating/record.py > arena/rating/testdata/reference.json

- tables: ratings by an independent maximum-likelihood fit (scipy's trust region on the
  likelihood written out game by game) and, where there are no draws and no effect of
  the seat, by choix.
- results: Elo, its error, nElo, LOS and SPRT's LLR by fastchess's formulas, with the
  roots found by scipy.
- matrices: alpha-rank by OpenSpiel's solver, equilibria by OpenSpiel's linear program.
"""
import json
import math

import choix
import numpy as np
from open_spiel.python.algorithms import lp_solver
from open_spiel.python.egt import alpharank
from scipy.optimize import brentq, minimize
import pyspiel

rng = np.random.default_rng(20251125)
SCALE = 400 / math.log(10)


def fit(players, records, seat, draws):
    size = players + seat + draws

    def probabilities(x, i, j):
        gamma = x[players] if seat else 0.0
        u = [x[i] + gamma / 2, x[j] - gamma / 2]
        if draws:
            u.insert(1, (x[i] + x[j]) / 2 + x[-1])
        e = np.exp(np.array(u) - max(u))
        return e / e.sum()

    def loss(x):
        total = 0.5 * np.sum(x[:players]) ** 2
        for i, j, w, d, l in records:
            p = np.log(probabilities(x, i, j))
            total -= w * p[0] + l * p[-1] + (d * p[1] if draws else 0)
        return total

    def gradient(x):
        g = np.zeros(size)
        g[:players] += np.sum(x[:players])
        for i, j, w, d, l in records:
            p = probabilities(x, i, j)
            n = w + d + l
            dw, dl = w - n * p[0], l - n * p[-1]
            g[i] -= dw
            g[j] -= dl
            if draws:
                dd = d - n * p[1]
                g[i] -= dd / 2
                g[j] -= dd / 2
                g[-1] -= dd
            if seat:
                g[players] -= (dw - dl) / 2
        return g

    x = np.zeros(size)
    for _ in range(5):
        x = minimize(loss, x, jac=gradient, method="BFGS", options={"gtol": 1e-12, "maxiter": 10000}).x
    # polish by Newton steps on a numerical Jacobian of the gradient
    for _ in range(20):
        h = 1e-5
        jacobian = np.array([(gradient(x + h * e) - gradient(x - h * e)) / (2 * h) for e in np.eye(size)])
        x = x - np.linalg.solve(jacobian, gradient(x))
    assert np.abs(gradient(x)).max() < 1e-8
    return x


def table(players, seat, draws):
    theta = rng.normal(0, 0.7, players)
    gamma, nu = (0.4 if seat else 0.0), (0.6 if draws else 0.0)
    records = []
    for i in range(players):
        for j in range(players):
            if i == j:
                continue
            p = np.array([math.exp(theta[i] + gamma / 2), nu * math.exp((theta[i] + theta[j]) / 2), math.exp(theta[j] - gamma / 2)])
            w, d, l = rng.multinomial(int(rng.integers(8, 40)), p / p.sum())
            records.append([i, j, int(w), int(d), int(l)])
    x = fit(players, records, seat, draws)
    out = {
        "players": players, "seat": bool(seat), "records": records,
        "elo": [SCALE * v for v in x[:players] - x[:players].mean()],
        "seat_elo": SCALE * x[players] if seat else 0.0, "draw": math.exp(x[-1]) if draws else 0.0,
    }
    if not seat and not draws:
        data = [(i, j) for i, j, w, _, _ in records for _ in range(w)] + [(j, i) for i, j, _, _, l in records for _ in range(l)]
        c = choix.opt_pairwise(players, data, alpha=0, method="Newton-CG", tol=1e-12)
        out["choix"] = [SCALE * v for v in c - c.mean()]
    return out


def elo(s):
    return -400 * math.log10(1 / s - 1)


def llr(counts, elo0, elo1, model):
    n = len(counts)
    c = np.array([x if x else 1e-3 for x in counts], float)
    a = np.linspace(0, 1, n)
    total = c.sum()
    p = c / total

    def tilt(phi):
        lo, hi = -1 / phi.max(), -1 / phi.min()
        eps = 1e-13 * (hi - lo)
        t = brentq(lambda x: np.sum(p * phi / (1 + x * phi)), lo + eps, hi - eps, xtol=1e-15, rtol=1e-14, maxiter=1000)
        return p / (1 + t * phi)

    def logistic(e):
        return tilt(a - 1 / (1 + 10 ** (-e / 400)))

    def normalized(e):
        t = math.sqrt((n - 1) / 2) * e / (800 / math.log(10))
        q = np.full(n, 1 / n)
        for _ in range(200):
            mu = q @ a
            sigma = math.sqrt(q @ (a - mu) ** 2)
            q = tilt(a - 0.5 - 0.5 * t * sigma * (1 + ((a - mu) / sigma) ** 2))
        return q

    f = logistic if model == "logistic" else normalized
    return float(total * (p @ np.log(f(elo1) / f(elo0))))


def result(counts):
    n = len(counts)
    c = np.array(counts, float)
    a = np.linspace(0, 1, n)
    total = c.sum()
    p = c / total
    s = float(p @ a)
    var = float(p @ (a - s) ** 2)
    half = 1.959963984540054 * math.sqrt(var / total)
    nelo = lambda x: (x - 0.5) / math.sqrt((n - 1) / 2 * var) * 800 / math.log(10)
    return {
        "counts": counts, "score": s, "elo": elo(s), "elo_error": (elo(s + half) - elo(s - half)) / 2,
        "nelo": nelo(s), "nelo_error": (nelo(s + half) - nelo(s - half)) / 2,
        "los": (1 - math.erf(-(s - 0.5) / math.sqrt(2 * var / total))) / 2,
        "llr": [[e0, e1, m, llr(counts, e0, e1, m)] for e0, e1 in [(0, 2), (0, 30), (-5, 5)] for m in ("logistic", "normalized")],
    }


def matrix(n, kind):
    a = rng.normal(0, 1, (n, n))
    if kind == "antisymmetric":
        a = a - a.T
    alpha = 0.5 if kind == "antisymmetric" else 1.0
    _, _, pi, _, _ = alpharank.compute([a], m=50, alpha=alpha)
    out = {"payoff": a.tolist(), "alpha": alpha, "members": 50, "alpharank": [float(v) for v in pi]}
    if kind == "antisymmetric":
        p0, _, _, _ = lp_solver.solve_zero_sum_matrix_game(pyspiel.create_matrix_game(a.tolist(), (-a).tolist()))
        out["nash"] = [float(v) for v in np.array(p0).ravel()]
    return out


rps = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]], float)
print(json.dumps({
    "tables": [table(n, s, d) for n, s, d in [
        (2, 0, 0), (4, 0, 0), (8, 0, 0), (3, 0, 1), (6, 0, 1), (2, 1, 0), (5, 1, 0), (3, 1, 1), (6, 1, 1), (12, 1, 1)]],
    "results": [result([int(v) for v in rng.multinomial(int(t), rng.dirichlet(np.ones(k) * 3))])
                for k in (3, 5) for t in (20, 40, 100, 250, 600, 1000, 4000, 10000)] + [
        result(c) for c in ([0, 12, 9], [10, 0, 12], [0, 3, 20, 4, 0], [1, 30, 100, 33, 0])],
    "matrices": [matrix(n, k) for n, k in [
        (2, "antisymmetric"), (3, "antisymmetric"), (4, "antisymmetric"), (5, "antisymmetric"), (7, "antisymmetric"),
        (10, "antisymmetric"), (3, "general"), (4, "general"), (6, "general"), (8, "general")]],
}, indent=1))
