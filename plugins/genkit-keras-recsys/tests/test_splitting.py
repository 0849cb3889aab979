"""Splits: what is learned, given and guessed; ties; and guards against leaks."""

import numpy as np
import pytest
from data import opened, rows, write
from genkit_recsys import splitting
from genkit_recsys.events import Events, clean
from genkit_recsys.splitting import Split, check_leaks, split_events

from genkit.errors import DataError


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "clicks.csv", rows())


def by_user(source):
    return {
        source.ids[0][user]: [source.ids[1][i] for i in source.histories[row]]
        for row, user in enumerate(source.users)
    }


def parts(file, **settings):
    return [opened(file, split=name, **settings) for name in ("train", "validation", "test")]


def test_by_ratio_each_user_has_a_share_in_each_part(file):
    train, validation, test = map(by_user, parts(file, validation=0.2, test=0.1))
    for user, items in train.items():
        guessed = [*validation[user], *test[user]]
        assert len({*items, *guessed}) == len(items) + len(guessed)
        count = len(items) + len(guessed)
        assert (len(validation[user]), len(test[user])) == (max(1, int(count * 0.2)), 1)


def test_a_split_follows_its_seed_which_stands_in_the_protocol(file):
    first, again, other = (opened(file, split="test", split_seed=s) for s in (3, 3, 4))
    assert by_user(first) == by_user(again) != by_user(other)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert first.protocol["split_seed"] == 3


def test_leave_last_out_guesses_the_last_event_from_those_before(file):
    train, validation, test = parts(file, protocol="leave-last-out")
    wanted = {}
    for user, item, _, _ in rows():  # in the order of time
        wanted.setdefault(user, []).append(item)
    for user, items in by_user(test).items():
        assert items == wanted[user][-1:]
        assert by_user(validation)[user] == wanted[user][-2:-1]
        assert by_user(train)[user] == wanted[user][:-2]
    assert test.given[0].tolist()[:-1] == validation.given[0].tolist()


def test_ties_in_time_are_drawn_by_the_seed_and_stated(tmp_path):
    table = [(f"u{u}", f"i{i}", 1, 0) for u in range(40) for i in range(6)]
    file = write(tmp_path / "ties.csv", table)
    first, again, other = (
        by_user(opened(file, split="test", protocol="leave-last-out", split_seed=s))
        for s in (0, 0, 1)
    )
    assert first == again != other
    assert len({tuple(items) for items in first.values()}) == 6  # not the file's last each time
    told = opened(file, split="test", protocol="leave-last-out").protocol["ties_in_time"]
    assert "random order" in told


def test_a_temporal_split_parts_all_users_at_the_same_times(tmp_path):
    table = [(f"u{u}", f"i{(u + t) % 30}", 1, t) for u in range(30) for t in range(20)]
    file = write(tmp_path / "time.csv", table)
    test = opened(file, split="test", protocol="temporal", test=0.1, validation=0.1)
    assert test.histories.lengths.tolist() == [2] * 30
    assert test.given.lengths.tolist() == [18] * 30
    assert opened(file, protocol="temporal").archive.trained_until == 15
    assert test.earliest == 18


def test_events_of_one_time_are_never_parted_in_a_temporal_split(tmp_path):
    table = [(f"u{u}", f"i{t}", 1, t // 10) for u in range(8) for t in range(30)]
    test = opened(write(tmp_path / "t.csv", table), split="test", protocol="temporal")
    assert set(test.histories.lengths.tolist()) == {10}


def test_by_users_the_test_users_are_strangers(file):
    train, validation, test = parts(file, protocol="users", test=0.2, validation=0.1)
    groups = [{s.ids[0][u] for u in range(60)} & set(map(str, by_user(s))) for s in (train,)]
    assert len(train) == 42
    assert (test.users == -1).all()
    assert (validation.users == -1).all()
    assert len(groups[0]) == 42
    assert (test.given.lengths > test.histories.lengths).all()
    known = set(train.histories.items.tolist())
    assert set(test.histories.items.tolist()) <= known


def test_data_without_times_is_not_split_by_time(tmp_path):
    file = write(tmp_path / "untimed.csv", [row[:2] for row in rows()], ("user_id", "item_id"))
    bare = {"rating_column": "", "time_column": ""}
    assert len(opened(file, **bare)) == 60
    for protocol in ("temporal", "leave-last-out"):
        with pytest.raises(DataError, match="Expected times"):
            opened(file, protocol=protocol, **bare)


def test_files_that_are_split_already_are_taken_as_they_are(tmp_path):
    table = rows()
    train = write(tmp_path / "train.csv", [r for r in table if r[3] % 100 < 8])
    test = write(tmp_path / "test.csv", [r for r in table if r[3] % 100 >= 8])
    source = opened(train, test_path=str(test), split="test")
    assert source.histories.lengths.sum() == sum(r[3] % 100 >= 8 for r in table)
    assert source.protocol["protocol"] == "given"


def test_a_test_event_that_is_in_training_is_an_error(tmp_path):
    table = rows()
    train, test = write(tmp_path / "train.csv", table), write(tmp_path / "test.csv", table[7:9])
    with pytest.raises(DataError, match="2 are in both, first user 'user 0'") as caught:
        opened(train, test_path=str(test))
    assert str(caught.value).count("'item ") == 1


def test_a_future_event_in_a_temporal_split_is_an_error(tmp_path):
    train = write(tmp_path / "train.csv", [("a", "x", 1, 1), ("a", "y", 1, 50), ("b", "x", 1, 3)])
    test = write(tmp_path / "test.csv", [("b", "y", 1, 40)])
    assert len(opened(train, test_path=str(test), split="test")) == 1
    with pytest.raises(DataError, match="one of 50 is not before 40"):
        opened(train, test_path=str(test), protocol="temporal")


def test_a_test_user_that_trains_is_an_error_where_users_are_parted():
    events = Events(
        *(np.array(column, dtype) for column, dtype in (
            ([0, 0, 1], np.int32), ([0, 1, 1], np.int32), ([1, 1, 1], np.float32),
            ([0, 1, 2], np.float64), ([0, 0, 0], np.int8))),
        ("a", "b"), ("x", "y"),
    )  # fmt: skip
    role = np.array([splitting.TRAIN, splitting.TEST, splitting.TRAIN], np.int8)
    split = Split(clean(events, None, 1, 1), role, np.arange(3), {})
    with pytest.raises(DataError, match="1 do, first 'a'"):
        check_leaks(split, "users")


def test_no_protocol_leaks(file):
    events = clean(_events(file), None, 1, 1)
    for protocol in ("ratio", "leave-last-out", "temporal", "users"):
        split = split_events(events, protocol, validation=0.1, test=0.1, seed=5)
        pair = events.user * 1000 + events.item
        learned = set(pair[split.role == splitting.TRAIN].tolist())
        assert not learned & set(pair[split.role == splitting.TEST].tolist())
        assert (split.role == splitting.TEST).any()


def _events(file):
    from genkit_recsys.reading import Columns, EventReader

    reader = EventReader(Columns("user_id", "item_id", "rating", "time"))
    reader.read(file)
    return reader.events()
