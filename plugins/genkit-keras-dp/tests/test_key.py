"""The secret key: whose it is, and that its noise serves once."""

import stat

import pytest
from genkit_dp.key import FILE, Key

from genkit.errors import RunError


def test_only_the_owner_can_read_it_and_a_resume_finds_it_again(tmp_path):
    key = Key.of(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert Key.of(tmp_path).value == key.value
    key.note_release(4)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_each_run_has_a_key_of_its_own(tmp_path):
    (tmp_path / "other").mkdir()
    assert len({Key.of(tmp_path).value, Key.of(tmp_path / "other").value, Key.of(None).value}) == 3


def test_steps_before_a_model_that_was_given_out_are_not_trained_again(tmp_path):
    Key.of(tmp_path).note_release(10)
    key = Key.of(tmp_path)
    key.check(10)
    with pytest.raises(RunError, match="step 10 was given out"):
        key.check(9)


def test_a_damaged_key_is_told_of(tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(RunError, match="damaged"):
        Key.of(tmp_path)
