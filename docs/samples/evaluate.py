import genkit
from genkit.evaluation import check_comparable

runs = [genkit.train("vae", dataset="digits", steps=s, verbose=False) for s in (10, 20)]
(first,), (second,) = (genkit.evaluate(run, metrics=["fid"], n=200) for run in runs)

check_comparable(first, second)
print(f"{first.value:.1f} ({first.low:.1f} to {first.high:.1f})")
print(f"{second.value:.1f} ({second.low:.1f} to {second.high:.1f})")
