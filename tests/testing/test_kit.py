"""Every check finds the defect it is for, and finds nothing wrong with sound toys."""

import re

import keras
import pytest

from genkit.errors import UnknownNameError
from genkit.testing import checks_for
from genkit.testing.check import definitions

pytestmark = [
    pytest.mark.usefixtures("active_backend"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

# What is unsound, and the check that must say so.
DEFECTS = [
    ("heavy", "plugin_loads_whole"),
    ("heavy", "import_is_light"),
    ("no-trainer", "record_is_valid"),
    ("bad-preset", "record_is_valid"),
    ("no-model", "factory_resolves"),
    ("changing", "config_round_trips_through_json"),
    ("loose", "config_rejects_unknown_keys"),
    ("silent", "config_explains_every_setting"),
    ("model/heavy", "config_is_free_of_frameworks"),
    ("refusing", "builds_for_the_smallest_input"),
    ("grayonly", "builds_for_an_odd_input"),
    ("surprised", "refuses_what_it_cannot_take"),
    ("infinite", "losses_are_finite"),
    ("blind", "looks_at_held_out_data"),
    ("onesided", "every_optimizer_advances"),
    ("meddling", "only_optimized_variables_move"),
    ("capricious", "same_seed_gives_the_same_run"),
    ("capricious", "noise_comes_from_the_batch"),
    ("drawing", "noise_comes_from_the_batch"),
    ("hoarding", "memory_does_not_grow"),
    ("boastful", "capabilities_are_methods"),
    ("garish", "samples_are_as_declared"),
    ("stubborn", "sample_follows_from_seed_and_index"),
    ("deaf", "labels_are_taken_or_refused"),
    ("credulous", "conditions_are_taken_or_refused"),
    ("gregarious", "conditions_are_in_the_record"),
    ("gregarious", "item_follows_from_its_own_conditions"),
    ("recompiling", "conditions_are_inputs_of_what_is_compiled"),
    ("distorting", "reconstructions_are_as_declared"),
    ("sociable", "latents_follow_from_their_items"),
    ("straying", "interpolations_end_in_reconstructions"),
    ("revising", "pieces_are_the_whole"),
    ("swelling", "pieces_compile_nothing_anew"),
    ("forgetful", "saved_run_generates_the_same"),
    ("forgetful", "resume_is_bit_exact"),
    ("forgetful", "running_numbers_are_state"),
    ("list-data", "opens"),
    ("wordy-data", "vocabularies_are_assets"),
    ("beyond-data", "items_are_as_the_schema_declares"),
    ("unseeded-data", "reads_the_same_again"),
    ("restless-data", "fingerprint_is_of_the_content"),
    ("diced-data", "batches_follow_the_seed"),
    ("secretive-data", "splits_and_subset_are_declared"),
    ("choosy-data", "subset_is_drawn_by_the_rule"),
    ("leaking-data", "splits_are_disjoint"),
    ("lazy-trainer", "every_optimizer_advances"),
    ("meddling-trainer", "only_optimized_variables_move"),
    ("capricious-trainer", "same_seed_gives_the_same_run"),
    ("infinite-trainer", "losses_are_finite"),
    ("hoarding-trainer", "memory_does_not_grow"),
    ("amnesiac-trainer", "resume_is_bit_exact"),
    ("hiding-trainer", "resume_is_bit_exact"),
    ("credulous-trainer", "refuses_a_model_it_cannot_train"),
    ("speechless", "says_whether_it_fits"),
    ("inverted", "figures_are_as_declared"),
    ("wrong", "known_answers"),
    ("dicing", "same_seed_gives_the_same_figures"),
    ("careless", "order_does_not_matter"),
    ("forgetting", "merge_equals_whole"),
    ("hoarder", "memory_is_bounded"),
    ("wide", "features_are_as_declared"),
    ("social", "features_follow_from_their_items"),
    ("drifting", "digest_stands_for_the_numbers"),
    ("nearsighted", "view_tells_items_apart"),
    ("raising", "runs_in_training"),
    ("littering", "writes_only_where_it_says"),
    ("losing", "state_survives_a_resume"),
    ("growing", "transform_is_as_declared"),
    ("leaving", "transform_is_undone"),
    ("fading", "formats_round_trip"),
    ("flattening", "blank_fits_the_field"),
]
ON_TORCH = [("looking", "steps_are_compiled"), ("looking-trainer", "steps_are_compiled")]
ACROSS = [("partial", "generates_on_every_backend"), ("partial", "backends_agree")]
SOUND = [
    "sound",
    "sound-data",
    "brightness",
    "mean",
    "counting",
    "momentum-trainer",
    "doubling",
    "framing",
]
DISTRIBUTION = "genkit-keras-unsound"


def check_of(name, check):
    kind, _, bare = name.rpartition("/")
    found = checks_for(f"{DISTRIBUTION}/{bare}" if kind else name)
    return next(c for c in found if c.name == check)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.usefixtures("compiled_fast")
@pytest.mark.parametrize(("name", "check"), DEFECTS)
def test_a_defect_is_found(name, check):
    outcome = check_of(name, check).run()
    assert outcome.outcome == "failed", outcome
    assert outcome.reason


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "torch", reason="a defect on PyTorch alone")
@pytest.mark.parametrize(("name", "check"), ON_TORCH)
def test_a_defect_on_pytorch_is_found_with_its_place(name, check):
    outcome = check_of(name, check).run()
    assert outcome.outcome == "failed", outcome
    assert re.search(r"unsound_models\.py:\d+(, in keras/src/|\.)", outcome.reason)
    assert check_of("sound", check).run().outcome == "passed"


@pytest.mark.cross_backend
@pytest.mark.parametrize(("name", "check"), ACROSS)
def test_a_defect_between_backends_is_found(name, check):
    outcome = check_of(name, check).run()
    assert outcome.outcome == "failed", outcome
    assert "Expected" in outcome.reason


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.usefixtures("compiled_fast")
@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_passes(name):
    outcomes = [c.run() for c in checks_for(name) if not c.definition.spans_backends]
    wrong = [o for o in outcomes if o.outcome == "failed"]
    assert outcomes
    assert not wrong
    skipped = {o.name for o in outcomes if o.outcome == "skipped"}
    assert skipped <= {
        "labels_are_taken_or_refused",
        "subset_is_drawn_by_the_rule",
        "merge_equals_whole",  # brightness says that it can't be
        "pieces_are_the_whole",
        "pieces_compile_nothing_anew",
        "item_follows_from_its_own_conditions",
        "conditions_are_inputs_of_what_is_compiled",
    }


@pytest.mark.slow
@pytest.mark.cross_backend
def test_what_is_sound_passes_between_backends():
    found = [c.run() for c in checks_for("sound") if c.definition.spans_backends]
    assert [o.outcome for o in found] == ["passed"] * 2, found


@pytest.mark.once
def test_every_check_has_a_defect_that_it_finds():
    assert {check for _, check in DEFECTS + ON_TORCH + ACROSS} == {d.name for d in definitions()}


@pytest.mark.once
def test_every_check_says_what_it_checks():
    for definition in definitions():
        assert definition.meaning.endswith("."), definition.name


@pytest.mark.once
def test_a_capability_that_is_not_declared_is_skipped():
    outcome = check_of("modest", "latents_follow_from_their_items").run()
    assert (outcome.outcome, outcome.reason) == ("skipped", "it does not declare 'encode'")


@pytest.mark.once
def test_a_model_that_names_no_modalities_is_tried_on_the_data_of_its_preset():
    assert check_of("omnivorous", "builds_for_the_smallest_input").run().outcome == "passed"
    assert check_of("omnivorous", "builds_for_an_odd_input").run().outcome == "skipped"


@pytest.mark.once
def test_an_expected_failure_is_shown_with_its_reason():
    outcome = check_of("known-to-fail", "config_explains_every_setting").run()
    assert outcome.outcome == "expected failure"
    assert outcome.reason == "Nobody has written them yet"


@pytest.mark.slow
@pytest.mark.once
def test_an_expected_failure_that_passes_is_a_failure():
    outcome = check_of("mended", "losses_are_finite").run()
    assert outcome.outcome == "failed"
    assert "expected_failures" in outcome.reason


@pytest.mark.once
def test_a_plugin_is_checked_by_entry_point_and_by_distribution():
    by_entry_point = [str(c) for c in checks_for("unsound")]
    assert "plugin-unsound-import_is_light" in by_entry_point
    assert "model-sound-losses_are_finite" in by_entry_point
    assert "metric-brightness-known_answers" in by_entry_point
    assert set(by_entry_point) < {str(c) for c in checks_for(DISTRIBUTION)}


@pytest.mark.once
def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'brightness'"):
        checks_for("brihgtness")
