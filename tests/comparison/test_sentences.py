"""The sentence follows from the figures, and claims no more than they do."""

import math

from genkit.workflows.comparison.sentences import failures, sentence
from tests.comparison.made_up import agreeing, cell, evidence, failed

NOISE = (0.0, 0.1, -0.1, 0.05)


def three_seeds(**speeds):
    return [
        cell(backend, seed, speed=speed + NOISE[seed], fids=30 + seed + NOISE[seed - i])
        for seed in range(3)
        for i, (backend, speed) in enumerate(speeds.items())
    ]


def test_a_clear_difference_in_speed_alone_chooses_the_fastest():
    told = sentence(evidence(three_seeds(torch=12.1, jax=6.7), [agreeing("jax")]))
    assert "torch is 1.8x as fast as jax here" in told
    assert "n = 3 seeds" in told
    assert "agree to 3e-06 over 20 steps" in told
    assert "quality can't be told apart (fid; paired t tests over 3 seeds, Holm)" in told
    assert told.endswith("choose torch on this machine.")


def test_speeds_within_chance_are_not_told_apart():
    cells = [
        cell(backend, seed, speed=speed)
        for backend, speeds in {"torch": (10, 12, 11), "jax": (11, 10, 11.5)}.items()
        for seed, speed in enumerate(speeds)
    ]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "torch and jax can't be told apart in speed" in told
    assert told.endswith("choose torch or jax, or let more seeds tell: --seeds 6.")


def test_who_is_clearly_slower_is_not_chosen_among_equals():
    cells = [*three_seeds(torch=12, jax=6), *three_seeds(tensorflow=12)]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "torch is 2x as fast as jax" in told or "tensorflow is 2x as fast as jax" in told
    assert "or let more seeds tell" in told
    assert "jax or" not in told.partition("choose")[2]
    assert "or jax" not in told.partition("choose")[2]


def test_one_run_each_claims_nothing_about_quality():
    cells = [cell("torch", speed=12, fids=30), cell("jax", speed=6, fids=50)]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "one run each" in told
    assert "fid lie outside each other's intervals, but one training each can't tell" in told
    assert "better" not in told


def test_one_run_each_that_differ_little_in_speed_are_alike():
    told = sentence(evidence([cell("torch", speed=10.5), cell("jax", speed=10)], [agreeing("jax")]))
    assert "can't be told apart in speed" in told


def test_better_quality_elsewhere_stands_in_the_advice():
    cells = [
        cell(backend, seed, speed=speed + NOISE[seed], fids=fids + NOISE[seed - shift])
        for seed in range(3)
        for shift, (backend, speed, fids) in enumerate([("torch", 12, 40), ("jax", 6, 30)])
    ]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "higher on torch than on jax, better on jax (paired t test, n = 3" in told
    assert told.endswith("choose torch for speed, jax for quality.")


def test_losses_that_part_forbid_choosing_by_speed():
    told = sentence(evidence(three_seeds(torch=12, jax=6), [agreeing("jax", relative=0.2)]))
    assert "losses of jax part from those of torch by 0.2 (d_loss, step 7)" in told
    assert told.endswith("find out why before choosing by speed.")


def test_losses_that_part_only_later_part_by_rounding():
    pair = agreeing("jax", relative=0.02, early=2e-7)
    told = sentence(evidence(three_seeds(torch=12, jax=6), [pair]))
    assert "agree for 5 steps and part by 0.02 over 20, as rounding grows" in told
    assert told.endswith("choose torch on this machine.")


def test_layers_that_stayed_random_explain_losses_that_part():
    pair = {**agreeing("jax", relative=0.2), "random_layers": ["own_noise"]}
    told = sentence(evidence(three_seeds(torch=12, jax=6), [pair]))
    assert "but own_noise stayed random" in told
    assert "find out why" not in told


def test_infinite_parity_is_told():
    told = sentence(evidence(three_seeds(torch=12, jax=6), [agreeing("jax", relative=math.inf)]))
    assert "by inf" in told


def test_too_few_steps_tell_no_speed():
    cells = [cell(backend, seed, speed=None) for backend in ("torch", "jax") for seed in (0, 1)]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "can't tell which is fastest from fewer than 40 steps (--steps 200" in told
    assert "until longer runs tell" in told


def test_one_backend_alone_can_not_be_compared():
    cells = [cell("torch"), failed("jax")]
    assert "can't tell, only torch has finished" in sentence(evidence(cells))
    assert "no backend has finished" in sentence(evidence([failed("torch"), failed("jax")]))


def test_a_failed_cell_of_one_seed_leaves_the_comparison_of_the_others():
    cells = [c for c in three_seeds(torch=12, jax=6) if (c.cell.backend, c.cell.seed) != ("jax", 2)]
    told = sentence(evidence([*cells, failed("jax", 2)], [agreeing("jax")]))
    assert "n = 2 seeds" in told
    assert told.endswith("choose torch on this machine, as far as the finished ones tell.")
    assert failures([failed("jax", 2)]) == [
        "gan on jax, seed 2 failed: out of memory. The same command tries it again."
    ]


def test_missing_quality_is_told_and_losses_stand_in():
    cells = [cell(b, seed, loss=1 + NOISE[seed]) for b in ("torch", "jax") for seed in range(3)]
    told = sentence(evidence(cells, [agreeing("jax")]))
    assert "quality could not be measured, and the final losses can't be told apart" in told
    told = sentence(evidence(cells, [agreeing("jax")], wants_quality=False))
    assert "could not be measured" not in told
