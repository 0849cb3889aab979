"""What workers decide as one: whether there is another step, the time, learning rates."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from genkit.engine.collective import Collective
from genkit.errors import RunError, TrainingError, UsageError
from genkit.models.training import agreement
from genkit.plan.fitting import Position
from tests.workers.meetings import meet_and, teams

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend")]


def engine_of(line, arrays=None):
    """An engine of a model with one optimizer, on the line."""
    optimizer = keras.optimizers.SGD(0.1)
    model = SimpleNamespace(optimizers={"net": optimizer}, stop_training=False)
    state = SimpleNamespace(read=lambda: (arrays or {}, {}))
    workers = Collective(line.team.rank, line.team.size, line.exchange)
    return SimpleNamespace(model=model, collective=workers, state=state)


def decided(*, on=(True, True), signals=(0, 0), stops=(False, False)):
    """Return what each of two workers goes by after a decision."""

    def work(line):
        rank, engine = line.team.rank, engine_of(line)
        engine.model.stop_training = stops[rank]
        stop, position = SimpleNamespace(received=signals[rank]), Position(seconds=10.0 + rank)
        given = {"on": on[rank], "idle": True}
        found = agreement.decide(engine, engine.model, position, stop, **given)
        return found, stop.received, position.seconds, engine.model.stop_training

    return meet_and(teams(2), work)


def test_all_go_on_by_the_first_ones_clock():
    assert decided() == [(True, 0, 10.0, False)] * 2


def test_what_the_first_one_says_counts_whatever_another_would_do():
    assert decided(on=(True, False)) == [(True, 0, 10.0, False)] * 2
    assert decided(on=(False, True)) == [(False, 0, 10.0, False)] * 2


def test_a_signal_to_any_worker_stops_all():
    assert decided(signals=(0, 15)) == [(False, 15, 10.0, False)] * 2
    assert decided(signals=(2, 0), on=(False, True)) == [(False, 2, 10.0, False)] * 2


def test_a_callback_of_the_first_one_stops_all():
    assert decided(on=(False, True), stops=(True, False)) == [(False, 0, 10.0, True)] * 2


@pytest.mark.parametrize(("idle", "rates"), [(True, [0.5, 0.5]), (False, [0.5, 0.1])])
def test_learning_rates_that_callbacks_set_are_those_of_all(idle, rates):
    def work(line):
        engine = engine_of(line)
        optimizer = engine.model.optimizers["net"]
        if line.team.rank == 0:
            optimizer.learning_rate = 0.5
        stop = SimpleNamespace(received=0)
        agreement.decide(engine, engine.model, Position(), stop, on=True, idle=idle)
        return float(optimizer.learning_rate)

    assert meet_and(teams(2), work) == pytest.approx(rates)


def test_workers_that_see_another_run_are_refused():
    def work(line):
        agreement.check_positions(engine_of(line), 500 if line.team.rank == 0 else 0)

    for error in meet_and(teams(2), work):
        assert isinstance(error, RunError)
        assert "Worker 1 finds the run at step 0, the first one at 500." in str(error)


def test_copies_that_are_not_the_same_bits_are_refused():
    def work(line):
        off = np.float32(1e-7) * line.team.rank
        arrays = {"a": np.ones(3, "f4"), "b": np.full(3, 0.1, "f4") + off}
        agreement.check_copies(engine_of(line, arrays), 7)

    for error in meet_and(teams(2), work):
        assert isinstance(error, TrainingError)
        assert "After step 7 worker 1 has another b than the first one; 1 of 2" in str(error)


def test_a_loader_that_does_not_divide_is_refused():
    engine = SimpleNamespace(collective=Collective(1, 2))
    agreement.check_part(engine, (1, 2), "own")
    with pytest.raises(UsageError, match="The trainer own doesn't divide its batches"):
        agreement.check_part(engine, (0, 1), "own")
