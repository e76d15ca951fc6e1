"""Scores recorded verdicts by the benchmarks' published rules, for the tests of spc/benchmark.

    pip install pyarrow sympy
    go test ./spc/benchmark -run TestWriteFixtures -update   # only where the rows shall change
    python testdata/spc/record.py

Writes testdata/benchmarks/scores.json, and copies of some rows as CSV and Parquet, so that
Agon reads what other programs write. Nothing here is shared with the Go code.

ProcessBench: Zheng et al. 2024, https://github.com/QwenLM/ProcessBench
SPC: Chen et al. 2025, https://github.com/chen-judge/SPC
DeltaBench: He et al. 2025, https://github.com/OpenStellarTeam/DeltaBench
PRM800K and its grader: Lightman et al. 2023, https://github.com/openai/prm800k
GSM8K: Cobbe et al. 2021, https://github.com/openai/grade-school-math
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import sympy

DATA = Path(__file__).resolve().parents[1] / "benchmarks"
SUBSETS = ["gsm8k", "math", "olympiadbench", "omnimath"]


def mean(values):
    return sum(values) / len(values) if values else 0.0


def harmonic(a, b):
    return 2 * a * b / (a + b) if a + b else 0.0


def lines(name):
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def boxed(text):
    found = re.findall(r"\\boxed\{([^}]*)\}", text)
    return found[-1].strip() if found else None


def number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def process_bench(rows, answers):
    """acc1 on erroneous solutions, acc2 on right ones, F1, by subset, and the mean F1."""
    out = {}
    for subset in SUBSETS:
        hits = {True: [], False: []}
        for (of, row), answer in zip(rows, answers):
            if of == subset:
                hits[row["label"] != -1].append(answer == row["label"])
        acc1, acc2 = mean(hits[True]), mean(hits[False])
        out[subset] = {"erroneous": acc1, "correct": acc2, "f1": harmonic(acc1, acc2)}
    return {"subsets": out, "mean": mean([s["f1"] for s in out.values()])}


def majority(samples):
    """What most samples box; Counter keeps the order of arrival among equals."""
    words = [w for w in map(boxed, samples) if w is not None]
    return number(Counter(words).most_common(1)[0][0]) if words else None


def spc_rows():
    """(subset, label) of the evaluation's rows, in the order of the files."""
    for name in ["pairs", "steps"]:
        for row in lines(f"spc/{name}.jsonl"):
            if "correct_last_step" in row:
                yield name, 1
                yield name, -1
            else:
                label = row.get("process_bench_human_label", row.get("delta_bench_human_label"))
                yield row["data_type"], label


def verdict(text):
    """1 for Correct, -1 for Incorrect, None where there is no tag with one of them."""
    start, end = text.find("<Answer>"), text.find("</Answer>")
    word = text[start + len("<Answer>"):end].lower() if start >= 0 else ""
    return {"correct": 1, "incorrect": -1}.get(word)


def step_accuracy(rows, answers):
    """SPC's: rows are (subset, label); answers without a verdict are left out."""
    by_class, by_subset, valid = {1: [], -1: []}, {}, 0
    for (subset, label), text in zip(rows, answers, strict=True):
        said = verdict(text)
        if said is None:
            continue
        valid += 1
        by_class[label].append(said == label)
        by_subset.setdefault(subset, {1: [], -1: []})[label].append(said == label)
    right, wrong = mean(by_class[1]), mean(by_class[-1])
    return {
        "valid": valid, "invalid": len(answers) - valid, "correct": right, "erroneous": wrong,
        "average": (right + wrong) / 2, "harmonic": harmonic(right, wrong),
        "subsets": {k: mean(v[1] + v[-1]) for k, v in by_subset.items()},
        "classes": {k: {"correct": mean(v[1]), "erroneous": mean(v[-1])} for k, v in by_subset.items()},
        "mean": mean([mean(v[1] + v[-1]) for v in by_subset.values()]),
    }


def process_bench_steps(rows, answers):
    """Each step up to the first wrong one; the first that is called incorrect is the answer."""
    labels, firsts, at = [], [], 0
    for subset, row in rows:
        n = len(row["steps"]) if row["label"] == -1 else row["label"] + 1
        said = [verdict(text) for text in answers[at:at + n]]
        at += n
        labels += [(subset, -1 if i == row["label"] else 1) for i in range(n)]
        first = -1
        for i, v in enumerate(said):
            if v != 1:
                first = i if v == -1 else None
                break
        firsts.append(first)
    return step_accuracy(labels, answers), process_bench(rows, firsts)


def prm800k_rows():
    """(file, label) of every completion that was rated, along what was chosen."""
    for name in ["phase1", "phase2"]:
        for row in lines(f"prm800k/{name}.jsonl"):
            if row["label"]["finish_reason"] == "bad_problem":
                continue
            for step in row["label"]["steps"]:
                for completion in step["completions"]:
                    if completion["rating"] is not None:
                        yield name, -1 if completion["rating"] == -1 else 1


def delta_bench_steps(rows, answers):
    """Verdicts on all sections name the wrong ones; one that says nothing spoils its row."""
    labels, kept, texts, at = [], [], [], 0
    for row in rows:
        truth = set(row["reason_error_section_numbers"]) | set(row["reason_unuseful_section_numbers"])
        n = len(re.findall(r"^section\d+:", row.get("sections_content", row.get("section_content")), re.M))
        said = [verdict(text) for text in answers[at:at + n]]
        before = n if not truth else min(truth)
        labels += [(row["task_l1"], -1 if i + 1 in truth else 1) for i in range(before)]
        kept += answers[at:at + before]
        at += n
        if None in said:
            texts.append("")
        else:
            texts.append("Conclusion: yes" + "".join(f"\nError Section Number: {i + 1}" for i, v in enumerate(said) if v == -1))
    return step_accuracy(labels, kept), delta_bench(rows, texts)


def final_answer(text):
    found = re.findall(r"The answer is (.*)", text)
    if found:
        return found[-1]
    start = text.rfind("\\boxed{")
    if start >= 0:
        depth, i = 0, start + len("\\boxed")
        for j in range(i, len(text)):
            depth += {"{": 1, "}": -1}.get(text[j], 0)
            if depth == 0:
                return text[i + 1:j]
    found = re.findall(r"-?\d+(?:\.\d+)?", text)
    return found[-1] if found else None


def graded(gold, text):
    """Whether the final answer is gold, by sympy."""
    answer = final_answer(text)
    if answer is None:
        return None
    answer = re.sub(r"\\frac\{(-?\d+)\}\{(\d+)\}", r"(\1)/(\2)", answer)
    answer = re.sub(r"^x = |\$|dollars|\.\s*$", "", answer).strip()
    return bool(sympy.simplify(sympy.sympify(answer, rational=True) - sympy.sympify(gold)) == 0)


def answers_accuracy(subset, golds, answers):
    marks = [graded(gold, text) for gold, text in zip(golds, answers, strict=True)]
    return {
        "accuracy": mean([m is True for m in marks]), "invalid": marks.count(None),
        "valid": mean([m for m in marks if m is not None]), "subset": subset,
    }


def named_sections(text):
    """The sections an answer names, or None where it draws no conclusion."""
    head = text.split("Error Section Number:")[0]
    if "Conclusion:" not in head:
        return None
    if "yes" not in head.split("Conclusion:")[-1].lower():
        return set()
    return {int(re.search(r"\d+", part).group()) for part in text.split("Error Section Number:")[1:]}


def delta_bench(rows, answers):
    scores, tp, fp, fn = [], 0, 0, 0
    for row, text in zip(rows, answers):
        truth = set(row["reason_error_section_numbers"]) | set(row["reason_unuseful_section_numbers"])
        if not truth:
            continue
        named = {n for n in named_sections(text) or () if n <= max(truth)}
        hit, extra, missed = len(named & truth), len(named - truth), len(truth - named)
        precision = hit / (hit + extra) if hit + extra else 0.0
        recall = hit / (hit + missed)
        scores.append((precision, recall, harmonic(precision, recall)))
        tp, fp, fn = tp + hit, fp + extra, fn + missed
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return {
        "macro": dict(zip(["precision", "recall", "f1"], map(mean, zip(*scores)))),
        "micro": {"precision": precision, "recall": recall, "f1": harmonic(precision, recall)},
    }


def copy_tables():
    (DATA / "processbench-parquet").mkdir(exist_ok=True)
    for subset in SUBSETS:
        rows = json.loads((DATA / f"processbench/{subset}.json").read_text())
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), DATA / f"processbench-parquet/{subset}-00000-of-00001.parquet")
    (DATA / "gsm8k-parquet").mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(lines("gsm8k/test.jsonl")), DATA / "gsm8k-parquet/test.parquet")
    (DATA / "deltabench-csv").mkdir(exist_ok=True)
    rows = [{("sections_content" if k == "section_content" else k): v for k, v in row.items()} for row in lines("deltabench/deltabench.jsonl")]
    with (DATA / "deltabench-csv/deltabench.csv").open("w", newline="") as f:
        out = csv.DictWriter(f, rows[0], lineterminator="\n")
        out.writeheader()
        out.writerows(rows)  # lists and booleans as Python writes them


def main():
    copy_tables()
    verdicts = json.loads((DATA / "verdicts.json").read_text())
    rows = [(s, row) for s in SUBSETS for row in json.loads((DATA / f"processbench/{s}.json").read_text())]
    scores = {
        "processbench": process_bench(rows, [number(boxed(text)) for text in verdicts["first_error"]]),
        "processbench_vote": process_bench(rows, [majority(samples) for samples in verdicts["votes"]]),
        "spc": step_accuracy(list(spc_rows()), verdicts["steps"]),
        "deltabench": delta_bench(lines("deltabench/deltabench.jsonl"), verdicts["sections"]),
        "prm800k_steps": step_accuracy(list(prm800k_rows()), verdicts["prm_steps"]),
        "gsm8k": answers_accuracy("test", [row["answer"].split("#### ")[1] for row in lines("gsm8k/test.jsonl")], verdicts["gsm8k"]),
        "math": answers_accuracy("Algebra", [boxed(row["solution"]) for row in lines("math/test.jsonl")], verdicts["math"]),
    }
    scores["processbench_steps"], scores["processbench_by_step"] = process_bench_steps(rows, verdicts["process_steps"])
    scores["deltabench_steps"], scores["deltabench_by_step"] = delta_bench_steps(lines("deltabench/deltabench.jsonl"), verdicts["delta_steps"])
    (DATA / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
