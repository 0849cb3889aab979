"""Backends compared: one process a cell, all from one shared step-0 checkpoint.

cells.py       what is compared, and where it lies in the folder
worker.py      what one process does: start, train, parity, evaluate
running.py     all of them; those that are done are not done again
forecast.py    what is going to be done, and how long it may take
parity.py      whether backends compute the same
stopwatch.py   when the first step is done
measuring.py   a cell's figures, from its run directory
statistics.py  means, intervals and paired tests over the seeds
sentences.py   what differs, in words
drawing.py     what differs, in a picture
summary.py     all of it put together: comparison.json, comparison.png, comparison.svg
"""
