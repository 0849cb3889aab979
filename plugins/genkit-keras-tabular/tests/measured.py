"""What is shown to a judge: customers, and rows whose quality is known."""

import numpy as np
from genkit_tabular.configs import CustomersConfig
from genkit_tabular.datasets import open_customers

from genkit.evaluation import Batch, Context

TRAIN = open_customers(CustomersConfig(n=600))
TEST = open_customers(CustomersConfig(n=600, split="test"))


def all_of(source, rows=None):
    return source.gather(np.arange(len(source)) if rows is None else rows)


def context_of(training, real, model=None):
    return Context(
        training.schema,
        training=training,
        real=real,
        model=model,
        assets=training.assets,
        output_fields=tuple(training.schema.fields),
    )


def figures(metric_class, made, batches=1, training=TRAIN, real=TEST):
    context = context_of(training, real)
    assert metric_class.unfit(context) == ""
    metric, first = metric_class(context), context.output_fields[0]
    streams = {"generated": made, "real": all_of(real), "training": all_of(training)}
    for stream, rows in streams.items():
        for part in np.array_split(np.arange(len(rows[first])), batches):
            fields = {name: array[part] for name, array in rows.items()}
            metric.update(stream, Batch(fields[first], fields=fields))
    return {figure.name: figure for figure in metric.compute()}


def shuffled(seed=0):
    rng = np.random.default_rng(seed)
    rows = all_of(TRAIN)
    order = {name: rng.permutation(600) for name in TRAIN.schema.fields}
    return {name: array[order[name.removesuffix("_missing")]] for name, array in rows.items()}
