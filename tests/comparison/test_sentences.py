"""The sentences follow from the figures, and claim no more than they do."""

import math
from dataclasses import replace

from genkit.workflows.comparison.sentences import failures, sentences
from tests.comparison.made_up import agreeing, cell, evidence, failed

NOISE = (0.0, 0.1, -0.1, 0.05)


def three_seeds(**speeds):
    return [
        cell(backend, seed, speed=speed + NOISE[seed], fids=30 + seed + NOISE[seed - i])
        for seed in range(3)
        for i, (backend, speed) in enumerate(speeds.items())
    ]


def test_a_clear_difference_in_speed_alone_chooses_the_fastest():
    told = sentences(evidence(three_seeds(torch=12.1, jax=6.7), [agreeing("jax")]))
    assert told == [
        "Choose torch on this machine.",
        "torch is 1.8 times as fast as jax here.",
        "Steps a second: torch 12.1, jax 6.7 (3 seeds).",
        "Losses from one start agree to 3e-06 over 20 steps.",
        "Quality can't be told apart (fid).",
    ]
    assert max(map(len, told)) < 80


def test_speeds_within_chance_are_not_told_apart():
    cells = [
        cell(backend, seed, speed=speed)
        for backend, speeds in {"torch": (10, 12, 11), "jax": (11, 10, 11.5)}.items()
        for seed, speed in enumerate(speeds)
    ]
    told = sentences(evidence(cells, [agreeing("jax")]))
    assert "torch and jax can't be told apart in speed." in told
    assert told[0] == "Choose torch or jax: more seeds may tell (--seeds 6)."


def test_who_is_clearly_slower_is_not_chosen_among_equals():
    cells = [*three_seeds(torch=12, jax=6), *three_seeds(tensorflow=12)]
    told = sentences(evidence(cells, [agreeing("jax")]))
    slower = "is 2 times as fast as jax here."
    assert f"torch {slower}" in told or f"tensorflow {slower}" in told
    assert "more seeds may tell" in told[0]
    assert "jax" not in told[0]


def test_one_run_each_claims_nothing_about_quality():
    cells = [cell("torch", speed=12, fids=30), cell("jax", speed=6, fids=50)]
    told = sentences(evidence(cells, [agreeing("jax")]))
    assert "Steps a second: torch 12, jax 6 (one run each)." in told
    assert "fid lie outside each other's intervals." in told
    assert told[-1] == "One training each can't tell backend from chance (fid)."
    assert "better" not in " ".join(told)


def test_one_run_each_that_differ_little_in_speed_are_alike():
    told = sentences(
        evidence([cell("torch", speed=10.5), cell("jax", speed=10)], [agreeing("jax")])
    )
    assert "torch and jax can't be told apart in speed." in told


def test_better_quality_elsewhere_stands_in_the_advice():
    cells = [
        cell(backend, seed, speed=speed + NOISE[seed], fids=fids + NOISE[seed - shift])
        for seed in range(3)
        for shift, (backend, speed, fids) in enumerate([("torch", 12, 40), ("jax", 6, 30)])
    ]
    told = sentences(evidence(cells, [agreeing("jax")]))
    assert "higher on torch than on jax: jax is better (p < 0.001)." in told[-1]
    assert told[0] == "Choose torch for speed, jax for quality."


def test_losses_that_part_forbid_choosing_by_speed():
    told = sentences(evidence(three_seeds(torch=12, jax=6), [agreeing("jax", relative=0.2)]))
    apart = "Losses of jax part from those of torch by 0.2 (d_loss, step 7)"
    assert f"{apart}: more than rounding explains." in told
    assert told[0] == "Find out why losses part before choosing by speed."


def test_losses_that_part_only_later_part_by_rounding():
    pair = agreeing("jax", relative=0.02, early=2e-7)
    told = sentences(evidence(three_seeds(torch=12, jax=6), [pair]))
    assert "agree for 5 steps; over 20 they part by 0.02, as rounding grows." in " ".join(told)
    assert told[0] == "Choose torch on this machine."


def test_layers_that_stayed_random_explain_losses_that_part():
    pair = {**agreeing("jax", relative=0.2), "random_layers": ["own_noise"]}
    told = sentences(evidence(three_seeds(torch=12, jax=6), [pair]))
    assert "but own_noise stayed random." in " ".join(told)
    assert "Find out why" not in told[0]


def test_infinite_parity_is_told():
    told = sentences(evidence(three_seeds(torch=12, jax=6), [agreeing("jax", relative=math.inf)]))
    assert "by inf" in " ".join(told)


def test_too_few_steps_tell_no_speed():
    cells = [cell(backend, seed, speed=None) for backend in ("torch", "jax") for seed in (0, 1)]
    told = sentences(evidence(cells, [agreeing("jax")]))
    assert "Fewer than 40 steps can't tell which is fastest." in told
    assert "until longer runs tell" in told[0]


def test_speeds_of_processes_that_ran_beside_each_other_are_not_compared():
    cells = [replace(cell(name, speed=None), at_once=4) for name in ("torch", "jax")]
    told = sentences(evidence(cells))
    assert told[:2] == [
        "Choose by speed: compare once more without --workers.",
        "Up to 4 were trained at a time, so speeds are not compared.",
    ]
    assert not any("steps can't tell" in each for each in told)


def test_one_backend_alone_can_not_be_compared():
    cells = [cell("torch"), failed("jax")]
    assert sentences(evidence(cells))[0] == "Can't tell yet: only torch has finished."
    none = sentences(evidence([failed("torch"), failed("jax")]))
    assert none[0] == "Can't tell yet: no backend has finished."


def test_a_failed_cell_of_one_seed_leaves_the_comparison_of_the_others():
    cells = [c for c in three_seeds(torch=12, jax=6) if (c.cell.backend, c.cell.seed) != ("jax", 2)]
    told = sentences(evidence([*cells, failed("jax", 2)], [agreeing("jax")]))
    assert "(2 seeds)" in " ".join(told)
    assert told[0] == "Choose torch on this machine, as far as the finished ones tell."
    assert failures([failed("jax", 2)]) == [
        "gan on jax, seed 2 failed: out of memory. The same command tries it again."
    ]


def test_missing_quality_is_told_and_losses_stand_in():
    cells = [cell(b, seed, loss=1 + NOISE[seed]) for b in ("torch", "jax") for seed in range(3)]
    told = sentences(evidence(cells, [agreeing("jax")]))
    assert told[-2:] == [
        "Quality could not be measured.",
        "The final losses can't be told apart (g_loss).",
    ]
    told = sentences(evidence(cells, [agreeing("jax")], wants_quality=False))
    assert "could not be measured" not in " ".join(told)
