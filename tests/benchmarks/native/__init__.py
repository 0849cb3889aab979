"""The same training steps, written by hand for one framework each, as its practitioners would."""
