"""The setting that nanoGPT's README gives for a CPU."""

BATCH, CONTEXT, STEPS, SIZE = 12, 64, 2000, 65
WARMUP, HIGHEST, LEAST = 100, 1e-3, 1e-4
