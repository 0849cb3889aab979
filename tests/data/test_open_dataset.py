"""A data set opened by its name, as programs and other data sets do."""

import pytest

import genkit
from genkit.errors import DataError, UnknownNameError, UsageError


def test_a_data_set_opens_by_name_with_settings_and_split():
    assert len(genkit.open_dataset("digits")) == 1500
    assert len(genkit.open_dataset("genkit-keras/digits", unseen=True)) == 297
    few = genkit.open_dataset("digits", {"split": "all", "limit": 7}, unseen=False)
    assert len(few) == 7
    assert few.schema["label"].classes == tuple("0123456789")


def test_what_can_not_be_opened_is_told():
    with pytest.raises(UnknownNameError, match="digitz"):
        genkit.open_dataset("digitz")
    with pytest.raises(UsageError, match="no setting 'limt'"):
        genkit.open_dataset("digits", {"limt": 3})
    with pytest.raises(DataError):
        genkit.open_dataset("image-folder", {"path": "/nowhere"})
