"""Spectrograms, the way back to sounds, and recordings as data."""

import io
import wave
import zipfile

import numpy as np
import pytest
from genkit_multimodal.data.configs import FsddConfig
from genkit_multimodal.data.fsdd import open_fsdd, write_fake
from genkit_multimodal.spectrogram_renderer import SpectrogramRenderer
from genkit_multimodal.spectrograms import RATE, SAMPLES, SHAPE, to_sound, to_spectrogram
from genkit_multimodal.wav import read_wav, write_wav

import genkit
from genkit.errors import DataError


def tone(hertz, seconds=0.5):
    return 0.4 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def test_a_tone_is_a_line_as_long_as_it_lasts():
    low, high = (to_spectrogram(tone(hertz))[..., 0] for hertz in (300, 3000))
    assert low.shape == SHAPE[:2]
    assert low.min() == 0
    assert 0.7 < low.max() <= 1
    assert low.max(axis=1).argmax() > high.max(axis=1).argmax(), "the highest band first"
    loud = low.max(axis=0) > 0.5
    assert loud[1:15].all()
    assert not loud[17:].any()


def test_what_is_heard_has_the_spectrogram():
    sweep = np.concatenate([tone(hertz, 0.1) for hertz in (400, 700, 1200, 2000)])
    asked = to_spectrogram(sweep)
    sound = to_sound(asked)
    assert sound.shape == (SAMPLES,)
    assert np.abs(sound).max() <= 1
    assert np.abs(to_spectrogram(sound) - asked).mean() < 0.04
    assert np.array_equal(sound, to_sound(asked))
    assert not to_sound(np.zeros(SHAPE)).any(), "silence stays silent"


def test_recordings_are_read_from_a_folder_or_an_archive(tmp_path):
    write_fake(tmp_path)
    source = open_fsdd(FsddConfig(path=tmp_path))
    assert len(source) == 30
    assert np.bincount(source.arrays["label"]).tolist() == [3] * 10
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as archive:
        for file in sorted((tmp_path / "train").iterdir()):
            archive.write(file, f"train/{file.name}")
            file.unlink()
    (tmp_path / "train").rmdir()
    assert open_fsdd(FsddConfig(path=tmp_path)).fingerprint() == source.fingerprint()


def test_a_folder_must_be_named(monkeypatch):
    monkeypatch.delenv("GENKIT_DATA", raising=False)
    with pytest.raises(DataError, match="Expected a folder of recordings; none is named"):
        open_fsdd(FsddConfig())


def test_what_is_no_recording_is_counted(tmp_path):
    write_fake(tmp_path)
    (tmp_path / "train" / "3_nobody_9.wav").write_bytes(b"RIFF")
    (tmp_path / "train" / "three.wav").write_bytes(b"")
    with pytest.warns(UserWarning, match="unreadable 1"):
        source = open_fsdd(FsddConfig(path=tmp_path))
    assert source.left_out == {"unreadable": 1, "not named DIGIT_SPEAKER_TAKE.wav": 1}
    with pytest.raises(DataError, match="Expected recordings in"):
        open_fsdd(FsddConfig(path=tmp_path / "nowhere"))
    (tmp_path / "train.zip").write_bytes(b"PK")
    for file in (tmp_path / "train").iterdir():
        file.unlink()
    (tmp_path / "train").rmdir()
    with pytest.raises(DataError, match="archive of recordings"):
        open_fsdd(FsddConfig(path=tmp_path))


def test_another_form_of_wav_is_told(tmp_path):
    file = tmp_path / "fast.wav"
    with wave.open(str(file), "wb") as opened:
        opened.setnchannels(2)
        opened.setsampwidth(2)
        opened.setframerate(44_100)
        opened.writeframes(bytes(400))
    with pytest.raises(DataError, match=r"8000 Hz, 1 channel and 16 bits .* 44100 Hz, 2, 16 bits"):
        read_wav(file)
    for content in (b"", b"RIFF\0\0\0\0WAVE", b"no sound at all"):
        file.write_bytes(content)
        with pytest.raises(DataError, match="Expected a WAV file at"):
            read_wav(file)
    with pytest.raises(DataError, match="Expected a WAV file at"):
        read_wav(tmp_path / "nowhere.wav")


def test_a_spectrogram_is_shown_as_picture_and_sound(tmp_path):
    schema = genkit.Schema({"audio": genkit.Field(SHAPE, "float32", "spectrogram", (0, 1))})
    renderer = SpectrogramRenderer(schema, "audio")
    item = to_spectrogram(tone(500))
    renderer.write(item, tmp_path / "it.wav")
    heard = read_wav(tmp_path / "it.wav")
    assert np.abs(to_spectrogram(heard) - item).mean() < 0.05
    renderer.write(item, tmp_path / "it.png")
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
    html = renderer.html(np.stack([item, item]), "two <sounds>")
    assert html.count("<audio controls") == 2
    assert "<sounds>" not in html


def test_a_sound_is_written_whole():
    out = io.BytesIO()
    write_wav(np.array([0.0, 0.5, -1.0, 1.0]), out)
    out.seek(0)
    np.testing.assert_allclose(read_wav(out), [0, 0.5, -1, 1], atol=1e-4)
