import genkit

result = genkit.train("vae", dataset="digits", steps=100, config={"latent_dim": 8})
print(result.path, result.outcome.metrics)

model = genkit.load(result)
images = model.generate(16, seed=0)
print(images.shape, images.min(), images.max())
