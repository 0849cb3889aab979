import genkit

model = genkit.load(genkit.train("cvae", dataset="digits", steps=20, verbose=False))

print(model.classes())
sevens = model.generate(16, seed=0, label=7)
one_each = model.generate(10, label=list(range(10)))
