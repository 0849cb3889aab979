"""Spectrograms of short sounds, and the way back to something that can be heard.

A sound at 8 kHz becomes 32 frames of 32 mel bands: decibels below the loudest of all sounds there
are, brought to [0, 1]. The way back guesses the phase: Griffin and Lim 1984, "Signal Estimation
from Modified Short-Time Fourier Transform".
"""

from __future__ import annotations

from functools import cache

import numpy as np

RATE = 8000
BANDS = FRAMES = 32
SHAPE = (BANDS, FRAMES, 1)
SAMPLES = 8192  # of a sound: 1.024 s; what is longer is cut off, what is shorter padded
_WINDOW, _HOP = 512, SAMPLES // FRAMES
_RANGE_DB = 80.0  # what is this far below full scale is silence
_LOWEST_HZ = 60.0
_ROUNDS = 60


def to_spectrogram(sound: np.ndarray) -> np.ndarray:
    """Return the spectrogram of a sound.

    Args:
        sound: float ``(samples,)`` at 8 kHz, from -1 to 1.

    Returns:
        float32 ``(bands, frames, 1)`` from 0 to 1, the highest band first.
    """
    padded = np.zeros(SAMPLES)
    padded[: min(SAMPLES, len(sound))] = sound[:SAMPLES]
    power = np.abs(_stft(padded)) ** 2 @ _mel_bands().T
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    values = np.clip(1 + decibels / _RANGE_DB, 0, 1)
    return values.T[::-1, :, None].astype("float32")


def to_sound(spectrogram: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a sound that has nearly this spectrogram.

    Args:
        spectrogram: ``(bands, frames, 1)`` from 0 to 1, as ``to_spectrogram`` makes it.
        seed: of the phase that the search begins with.

    Returns:
        float32 ``(samples,)`` at 8 kHz, from -1 to 1.
    """
    values = np.clip(np.asarray(spectrogram, "float64")[::-1, :, 0].T, 0, 1)
    power = np.where(values > 0, 10 ** ((values - 1) * _RANGE_DB / 10), 0)
    bands = _mel_bands()
    # A band's power goes to its own frequencies: a true inverse would give negative power.
    magnitude = np.sqrt(power @ (bands / (bands**2).sum(axis=1, keepdims=True)))
    phase = np.exp(2j * np.pi * np.random.default_rng(seed).random(magnitude.shape))
    for _ in range(_ROUNDS):
        again = _stft(_istft(magnitude * phase))
        phase = again / np.maximum(np.abs(again), 1e-9)
    sound = _istft(magnitude * phase)
    return (sound / max(1.0, float(np.abs(sound).max()))).astype("float32")


def _stft(sound: np.ndarray) -> np.ndarray:
    """Return the spectrum of each frame, complex ``(frames, window / 2 + 1)``, scaled to [0, 1]."""
    padded = np.pad(sound, (_WINDOW - _HOP) // 2)
    places = np.arange(FRAMES)[:, None] * _HOP + np.arange(_WINDOW)
    window = _hann()
    return np.fft.rfft(padded[places] * window, axis=1) / (window.sum() / 2)


def _istft(spectrum: np.ndarray) -> np.ndarray:
    """Return the sound whose frames are nearest to these, float64 ``(samples,)``."""
    window = _hann()
    frames = np.fft.irfft(spectrum * (window.sum() / 2), _WINDOW, axis=1) * window
    length = SAMPLES + _WINDOW - _HOP
    sound, weight = np.zeros(length), np.zeros(length)
    for number, frame in enumerate(frames):
        part = slice(number * _HOP, number * _HOP + _WINDOW)
        sound[part] += frame
        weight[part] += window**2
    inner = slice((_WINDOW - _HOP) // 2, (_WINDOW - _HOP) // 2 + SAMPLES)
    return sound[inner] / np.maximum(weight[inner], 1e-3)


def _hann() -> np.ndarray:
    """Return the periodic Hann window: halves that overlap add up to the same everywhere."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)


@cache
def _mel_bands() -> np.ndarray:
    """Return the weights of frequencies in each band, ``(bands, window / 2 + 1)``: triangles."""
    ends = 2595 * np.log10(1 + np.array([_LOWEST_HZ, RATE / 2]) / 700)
    points = 700 * (10 ** (np.linspace(*ends, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    rising = (frequencies - points[:-2, None]) / np.diff(points)[:-1, None]
    falling = (points[2:, None] - frequencies) / np.diff(points)[1:, None]
    return np.maximum(0, np.minimum(rising, falling))
