"""Records losses and gradients of TRL's own trainers for objective's tests.

    pip install torch trl==1.16.0
    python testdata/trl/record.py > objective/testdata/trl.json

The trainers' methods that compute losses are run as they are, on stand-ins for
models that answer with log-probabilities drawn here. Some of them cast to float32
on the way; casts are switched off, so that all is in float64.

A case has the objective's name and settings as Agon spells them (TRL's spellings
where Agon takes them), the pairs token by token, the loss, and its gradients with
respect to the answers' summed log-probabilities.
"""

import contextlib
import json
import random
import sys
import warnings
from collections import defaultdict
from types import SimpleNamespace

import torch
import trl
from trl import DPOTrainer, KTOTrainer

warnings.simplefilter("ignore")

with contextlib.redirect_stdout(sys.stderr):
    from trl.experimental.cpo import CPOTrainer
    from trl.experimental.online_dpo import OnlineDPOTrainer
    from trl.experimental.orpo import ORPOTrainer
    from trl.experimental.tpo import TPOTrainer

ACCELERATOR = SimpleNamespace(
    device="cpu", gather_for_metrics=lambda x: x, gather=lambda x: x, backward=lambda loss, **_: loss.backward()
)


@contextlib.contextmanager
def in_double():
    """Has what would be float32 be float64."""
    cast, single, default = torch.Tensor.float, torch.float32, torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float, torch.float32 = torch.Tensor.double, torch.float64
    try:
        yield
    finally:
        torch.Tensor.float, torch.float32 = cast, single
        torch.set_default_dtype(default)


class Answers:
    """Sequences of several lengths, padded, with one token of prompt before them."""

    def __init__(self, rows):
        self.lengths = [len(r) for r in rows]
        width = max(self.lengths)
        self.mask = (torch.arange(1, width + 1)[None, :] <= torch.tensor(self.lengths)[:, None]).long()
        padded = [r + [0.0] * (width - len(r)) for r in rows]
        self.log_probs = torch.tensor(padded, dtype=torch.float64).requires_grad_(True)

    def answer(self):
        """Log-probabilities, 0 where there is no token."""
        return self.log_probs * self.mask

    def logits(self):
        """Logits over two symbols of which the first has the log-probabilities."""
        p = torch.where(self.mask.bool(), self.log_probs, torch.full_like(self.log_probs, -1.0))
        both = torch.stack([p, torch.log(-torch.expm1(p))], dim=-1)
        return torch.cat([both, torch.zeros_like(both[:, :1])], dim=1)  # the last token predicts nothing

    def with_prompt(self, value=0):
        return torch.cat([torch.full((len(self.lengths), 1), value), self.mask], dim=1)

    def gradient(self):
        """By sequence: that of its first token, which is the same for every token that counts in full."""
        g = self.log_probs.grad
        return [0.0] * len(self.lengths) if g is None else g[:, 0].tolist()


class Model(torch.nn.Module):
    """Answers as the fused heads of TRL's models do; a second set by its input."""

    def __init__(self, answers, others=None):
        super().__init__()
        self.sets, self.is_gradient_checkpointing = [answers, others], False

    def forward(self, input_ids, **_):
        log_probs = self.sets[int(input_ids[0, 0]) - 1].answer()
        zeros = torch.zeros_like(log_probs).detach()
        return SimpleNamespace(
            log_probs=log_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool(), log_sum_sq_probs=zeros
        )


def dpo(case, policy, reference, _):
    args = case["trl"]
    trainer = SimpleNamespace(
        accelerator=ACCELERATOR, beta=args["beta"], label_smoothing=args.get("label_smoothing", 0.0),
        loss_types=args["loss_type"], loss_weights=args.get("loss_weights", [1.0] * len(args["loss_type"])),
        f_divergence_type=args.get("f_divergence_type", "reverse_kl"), f_alpha_divergence_coef=args.get("f_alpha_divergence_coef", 0.5),
        ld_alpha=args.get("ld_alpha"), use_weighting=args.get("use_weighting", False), aux_loss_enabled=False, precompute_ref_logps=False,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None, discopop_tau=args.get("discopop_tau", 0.05)),
        _metrics={"train": defaultdict(list), "eval": defaultdict(list)}, _total_train_tokens=0, _tp_size=1,
    )
    trainer.model, trainer.ref_model = Model(policy), Model(reference)
    ids = torch.ones_like(policy.with_prompt())
    inputs = {"input_ids": ids, "attention_mask": ids, "completion_mask": policy.with_prompt()}
    loss = DPOTrainer._compute_loss(trainer, trainer.model, inputs, False)
    loss.backward()
    return loss.item()


def kto(case, policy, reference, n):
    """Chosen answers are desirable; third answers, if any, belong to other prompts."""
    args, third = case["trl"], case.get("third", False)
    main = [Answers(s.rows[: 2 * n]) for s in (policy, reference)]
    others = [Answers(s.rows[2 * n :]) for s in (policy, reference)] if third else [None, None]
    trainer = SimpleNamespace(
        accelerator=ACCELERATOR, beta=args["beta"], loss_type=args["loss_type"], calculate_KL=third, precompute_ref_logps=False,
        desirable_weight=args.get("desirable_weight", 1.0), undesirable_weight=args.get("undesirable_weight", 1.0), aux_loss_enabled=False,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None), _metrics={"train": defaultdict(list), "eval": defaultdict(list)},
        _total_train_tokens=0, _tp_size=1,
    )
    trainer._compute_kl_logps = lambda model, batch: KTOTrainer._compute_kl_logps(trainer, model, batch)
    trainer.model, trainer.ref_model = Model(main[0], others[0]), Model(main[1], others[1])
    ids = torch.ones_like(main[0].with_prompt())
    inputs = {
        "input_ids": ids, "attention_mask": ids, "completion_mask": main[0].with_prompt(),
        "label": torch.tensor([True] * n + [False] * n),
    }
    if third:
        ids = torch.full_like(others[0].with_prompt(), 2)
        inputs |= {"KL_input_ids": ids, "KL_attention_mask": ids, "KL_completion_mask": others[0].with_prompt()}
    loss = KTOTrainer._compute_loss(trainer, trainer.model, inputs, False)
    loss.backward()
    policy.taken = main[0].gradient() + (others[0].gradient() if third else [])
    return loss.item()


def paired_batch(policy, n):
    """A batch of CPO's and ORPO's: all tokens are symbol 0, a prompt has one."""
    mask, out = policy.with_prompt(1), {}
    for name, rows in (("chosen", slice(0, n)), ("rejected", slice(n, 2 * n))):
        labels = torch.where(policy.with_prompt(0)[rows] == 1, 0, -100)
        out |= {f"{name}_input_ids": torch.zeros_like(mask[rows]), f"{name}_attention_mask": mask[rows], f"{name}_labels": labels}
    return out


def without_reference(trainer_class, policy, n, **attributes):
    trainer = object.__new__(trainer_class)
    trainer.__dict__ |= {"accelerator": ACCELERATOR, "is_encoder_decoder": False, "aux_loss_enabled": False, "pad_token_id": 0, "padding_value": 0}
    trainer.__dict__ |= attributes
    loss, _ = trainer.get_batch_loss_metrics(lambda *_, **__: SimpleNamespace(logits=policy.logits()), paired_batch(policy, n))
    loss.backward()
    return loss.item()


def cpo(case, policy, _, n):
    args = case["trl"]
    return without_reference(
        CPOTrainer, policy, n, beta=args["beta"], label_smoothing=args.get("label_smoothing", 0.0), loss_type=args["loss_type"],
        cpo_alpha=args["cpo_alpha"], simpo_gamma=args.get("simpo_gamma", 0.5), alpha=args.get("alpha", 0.0),
    )


def orpo(case, policy, _, n):
    return without_reference(ORPOTrainer, policy, n, beta=case["trl"]["beta"])


def tpo(case, policy, _, n):
    args = case["trl"]
    trainer = SimpleNamespace(
        accelerator=ACCELERATOR, beta=args["beta"], label_smoothing=args.get("label_smoothing", 0.0), loss_type=args["loss_type"],
        tpo_alpha=args["tpo_alpha"], tpo_l_gamma=args.get("tpo_l_gamma", 0.5), model=SimpleNamespace(training=True),
        _metrics={"train": defaultdict(list), "eval": defaultdict(list)}, _total_train_tokens=0, _tp_size=1,
    )
    mask = policy.with_prompt(1)
    inputs = {"input_ids": torch.zeros_like(mask), "attention_mask": mask, "completion_mask": policy.with_prompt()}
    loss = TPOTrainer._compute_loss(trainer, lambda **_: SimpleNamespace(logits=policy.logits()), inputs, False)
    loss.backward()
    return loss.item()


def online(case, policy, reference, n):
    """The training step of OnlineDPOTrainer, whose first answers have the higher rewards."""
    args = case["trl"]
    zeros = torch.zeros_like(policy.mask)
    trainer = SimpleNamespace(
        accelerator=ACCELERATOR, beta=args["beta"], eos_token_ids=[1], reward_funcs=None, stats=defaultdict(list),
        processing_class=SimpleNamespace(batch_decode=lambda ids, **_: [""] * len(ids)),
        args=SimpleNamespace(
            use_vllm=False, missing_eos_penalty=None, loss_type=args["loss_type"], torch_empty_cache_steps=None, optim="adamw",
            n_gpu=1, gradient_accumulation_steps=1,
        ),
        model=policy, ref_model=reference, _generate=lambda *_: (zeros, zeros, zeros, policy.mask, None),
        _forward=lambda model, *_: model.answer(), _calculate_rewards_from_functions=lambda **_: torch.tensor([1.0] * n + [0.0] * n),
    )
    policy.train = lambda: None
    return OnlineDPOTrainer.training_step(trainer, policy, {"prompt": [""] * n}).item()


def cases():
    """Of every trainer: Agon's name and settings, and TRL's arguments."""
    dpo_types = {
        "sigmoid": ("dpo", 0), "hinge": ("hinge", 0), "ipo": ("ipo", 0), "exo_pair": ("exo", 0.1), "nca_pair": ("nca", 0), "robust": ("robust-dpo", 0.1),
        "bco_pair": ("bco", 0), "sppo_hard": ("sppo-hard", 0), "aot": ("aot", 0.1), "aot_unpaired": ("aot-unpaired", 0.1), "apo_zero": ("apo-zero", 0),
        "apo_down": ("apo-down", 0), "discopop": ("discopop", 0), "sigmoid_norm": ("sigmoid-norm", 0), "sft": ("sft", 0),
    }
    for loss, (name, smoothing) in dpo_types.items():
        for beta in (0.1, 1.0, 3.0):
            settings = {} if loss == "sft" else {"beta": beta}
            if smoothing:
                settings["label_smoothing"] = smoothing
            yield dpo, name, settings, {"loss_type": [loss], "beta": beta, "label_smoothing": smoothing}, {}
    yield dpo, "discopop", {"beta": 0.5, "discopop_tau": 0.7}, {"loss_type": ["discopop"], "beta": 0.5, "discopop_tau": 0.7}, {}
    for loss in ("sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop"):
        for divergence, alpha in (("forward_kl", 0.5), ("js_divergence", 0.5), ("alpha_divergence", 0.5), ("alpha_divergence", 1.7), ("alpha_divergence", 1.0)):
            name, smoothing = dpo_types[loss]
            settings = {"beta": 0.3, "f_divergence_type": divergence, "f_alpha_divergence_coef": alpha}
            arguments = {"loss_type": [loss], **settings, "label_smoothing": smoothing}
            if smoothing:
                settings = {**settings, "label_smoothing": smoothing}
            yield dpo, name, settings, arguments, {"scale": 0.5}
    for loss in ("sigmoid", "hinge", "bco_pair", "sppo_hard", "aot"):
        for ld in (0.0, 0.4):
            settings = {"beta": 0.3, "ld_alpha": ld}
            if loss == "aot":
                settings["label_smoothing"] = 0.0
            yield dpo, dpo_types[loss][0], settings, {"loss_type": [loss], "label_smoothing": 0.0, **settings}, {}
    for weights in ((0.8, 0.2, 1.0), (1.0, 1.0, 1.0)):
        settings = {"beta": 0.3, "preference": weights[0], "quality": weights[1], "generation": weights[2]}
        yield dpo, "mpo", settings, {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": list(weights), "beta": 0.3}, {}
    yield dpo, "dpo", {"beta": 0.3, "sft": 0.7, "sft_by": "tokens"}, {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.7], "beta": 0.3}, {}
    for loss in ("sigmoid", "ipo", "nca_pair", "apo_zero"):
        yield dpo, dpo_types[loss][0], {"beta": 0.5}, {"loss_type": [loss], "beta": 0.5, "use_weighting": True}, {"scale": 0.3}

    for beta in (0.1, 1.0):
        for _ in range(2):
            settings = {"beta": beta, "desirable_weight": 1.3, "undesirable_weight": 0.8}
            yield kto, "kto", settings, {"loss_type": "kto", **settings}, {"third": True}
        yield kto, "apo-zero-unpaired", {"beta": beta}, {"loss_type": "apo_zero_unpaired", "beta": beta}, {}

    for beta in (0.1, 2.0):
        for smoothing in (0.0, 0.2):
            settings = {"beta": beta, "label_smoothing": smoothing, "cpo_alpha": 0.6}
            yield cpo, "cpo", settings, {"loss_type": "sigmoid", **settings}, {}
            settings = {"beta": beta, "label_smoothing": smoothing, "simpo_gamma": 0.7}
            yield cpo, "simpo", settings, {"loss_type": "simpo", "cpo_alpha": 0.0, **settings}, {}
            for alpha in (0.25, -0.5):
                yield cpo, "alphapo", {**settings, "alpha": alpha}, {"loss_type": "simpo", "cpo_alpha": 0.0, **settings, "alpha": alpha}, {}
        settings = {"beta": beta, "cpo_alpha": 1.0}
        yield cpo, "cpo", {**settings, "loss_type": "hinge"}, {"loss_type": "hinge", **settings}, {}
        yield cpo, "cpo", {**settings, "alpha": 0.1}, {"loss_type": "sigmoid", **settings, "alpha": 0.1}, {"scale": 0.3}
        yield cpo, "simpo", {**settings, "simpo_gamma": 0.5, "sft_by": "tokens"}, {"loss_type": "simpo", **settings, "simpo_gamma": 0.5}, {}
        yield orpo, "orpo", {"beta": beta}, {"beta": beta}, {}
        for tpo_alpha in (1.0, 0.3):
            settings = {"beta": beta, "tpo_alpha": tpo_alpha, "label_smoothing": 0.1}
            yield tpo, "tpo-triple", settings, {"loss_type": "sigmoid", **settings}, {"third": True}
            settings = {"beta": beta, "tpo_alpha": tpo_alpha, "tpo_l_gamma": 0.4}
            yield tpo, "tpo-l", settings, {"loss_type": "tpo-l", **settings}, {"third": True}
        yield tpo, "tpo-triple", {"beta": beta, "loss_type": "hinge"}, {"loss_type": "hinge", "beta": beta, "tpo_alpha": 1.0}, {"third": True}
        yield online, "dpo", {"beta": beta}, {"loss_type": "sigmoid", "beta": beta}, {}
        yield online, "ipo", {"beta": beta, "normalize": "false"}, {"loss_type": "ipo", "beta": beta}, {}


def round_off(x):
    """Short numbers keep the file small; they are drawn, so nothing is lost."""
    return float(f"{x:.4g}")


def main():
    draw = random.Random(1)
    out = {"trl": trl.__version__, "torch": torch.__version__, "cases": []}
    for run, name, settings, arguments, how in cases():
        for longest in (1, 4):
            n, third = draw.choice([1, 3]), how.get("third", False)
            scale = how.get("scale") or draw.choice([0.2, 1.0, 4.0])
            lengths = [draw.randint(1, longest) for _ in range((3 if third else 2) * n)]
            rows = [[-round_off(scale * draw.expovariate(1) + 1e-3) for _ in range(k)] for k in lengths]
            before = [[-round_off(scale * draw.expovariate(1) + 1e-3) for _ in range(k)] for k in lengths]
            policy, reference = Answers(rows), Answers(before)
            policy.rows, reference.rows, policy.taken = rows, before, None
            with in_double():
                loss = run({"trl": arguments, **how}, policy, reference, n)
            g = policy.taken or policy.gradient()
            pairs, grads = [], []
            for i in range(n):
                sides = {"chosen": i, "rejected": n + i} | ({"extra": 2 * n + i} if third else {})
                pair = {side: {"logp": rows[k]} | ({} if run in (cpo, orpo, tpo) else {"ref": before[k]}) for side, k in sides.items()}
                if arguments.get("use_weighting"):  # WPO's weights, which take no gradient
                    mean = lambda row: sum(row) / len(row)  # noqa: E731
                    pair["weight"] = float(torch.exp(torch.tensor(mean(rows[i]) + mean(rows[n + i]), dtype=torch.float64)))
                pairs.append(pair)
                grads.append({side: g[k] for side, k in sides.items()})
            out["cases"].append({
                "trainer": run.__name__, "loss_type": arguments.get("loss_type", run.__name__), "objective": name, "settings": settings,
                "pairs": pairs, "loss": loss, "grads": grads,
            })
    print("{" + f'"trl": "{out["trl"]}", "torch": "{out["torch"]}", "cases": [')
    print(",\n".join(json.dumps(case, separators=(",", ":")) for case in out["cases"]))
    print("]}")


main()
