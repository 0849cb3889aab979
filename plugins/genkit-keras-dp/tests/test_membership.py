"""An attacker who knows the model asks of an item: was it trained on?"""

import keras
import numpy as np
from scipy import stats
from small import Autoencoder, items, train

import genkit

FEATURES, MEMBERS = 32, 60


def auc(model, members, others):
    """Probability that the error of a member is below that of another item."""
    errors = model.errors(others), model.errors(members)
    return stats.mannwhitneyu(*errors).statistic / (len(members) * len(others))


def test_members_are_told_from_others_in_an_overfitted_model_and_not_in_a_private_one():
    members, others = items(MEMBERS, FEATURES, seed=1), items(500, FEATURES, seed=2)
    keras.utils.set_random_seed(0)
    overfitted, private = Autoencoder(FEATURES), Autoencoder(FEATURES)
    train(overfitted, members, genkit.Trainer(), batch_size=20, steps=150)
    trainer = train(
        private, members, batch_size=20, steps=150, noise_multiplier=8.0, max_epsilon=3.0, secret=1
    )
    assert trainer.measures(150)["epsilon"] < 3.0
    assert auc(overfitted, members, others) > 0.9
    # A guess is 0.5, with a standard deviation of 0.04 for so few members.
    assert abs(auc(private, members, others) - 0.5) < 0.12
    assert np.isfinite(private.errors(others)).all()
