"""EASE: the best linear model from items to items, in closed form."""

from __future__ import annotations

import numpy as np
from scipy import linalg

import genkit
from genkit.data import Source
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import EASEConfig
from genkit_recsys.models.recommender import Recommender, histories_of, weight


class EASE(Recommender):
    """Scores items by ``x B``, where ``B`` reconstructs histories from other items.

    Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", equations 4 to 8: of all
    ``B`` with a diagonal of zeros, ``|X - X B|^2 + lambda |B|^2`` is least where
    ``B_ij = -P_ij / P_jj`` with ``P = (X^T X + lambda I)^-1``.

    With fewer users than items ``B`` is never made. By Woodbury's identity
    ``lambda P = I - A^T A`` with ``A = L^-1 X`` and ``L L^T = X X^T + lambda I``, so that
    ``x B = x - (x - (x A^T) A) / (1 - diag(A^T A))``; ``A`` has a row for each user.
    """

    config: EASEConfig

    def __init__(self, config: EASEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.factored = self.n_users < self.n_items
        rows = self.n_users if self.factored else self.n_items
        self.matrix = self.add_weight(
            shape=(rows, self.n_items), initializer="zeros", trainable=False, name="matrix"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Solve, in double precision."""
        x = histories_of(source, self.history_field).matrix().astype(np.float64)
        if self.factored:
            gram = (x @ x.T).toarray()
            gram[np.diag_indices_from(gram)] += self.config.l2
            lower = linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
            found = np.zeros((self.n_users, self.n_items), np.float32)
            found[: x.shape[0]] = linalg.solve_triangular(
                lower, x.toarray(), lower=True, overwrite_b=True, check_finite=False
            )
        else:
            gram = (x.T @ x).toarray()
            gram[np.diag_indices_from(gram)] += self.config.l2
            inverse = _inverse(gram)
            found = (inverse / -np.diag(inverse)).astype(np.float32)
            np.fill_diagonal(found, 0.0)
        self.matrix.assign(found)
        return {"norm": float(np.linalg.norm(found))}

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        x, matrix = histories.matrix(), weight(self.matrix)
        if not self.factored:
            return np.asarray(x @ matrix)
        left = 1.0 - np.square(matrix).sum(axis=0)
        found = (x @ matrix.T) @ matrix
        dense = histories.dense()
        return np.asarray(dense - (dense - found) / left)


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Invert a positive definite matrix in its own memory, by Cholesky."""
    factor, info = linalg.lapack.dpotrf(gram.T, lower=1, overwrite_a=1)
    inverse, more = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    assert info == more == 0, "the penalty makes it positive definite"
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(inverse, -1).T)
