# [look]
import genkit

print(genkit.list_models())
print(genkit.info("vae"))
# [/look]

# [train]
settings = {"dataset": "digits", "steps": 50, "verbose": False}
result = genkit.train("vae", config={"latent_dim": 8}, name="mine", **settings)
print(result)
print(result.history["loss"][-5:].mean())
# [/train]

# [runs]
print(genkit.list_runs())
run = genkit.open_run("latest")
print(run.plan.config["latent_dim"], run.history["seconds"][-1])
# [/runs]

# [model]
model = genkit.load("mine")
print(model)
model.show(16, seed=3).save("samples.png")
model.save_weights("mine.weights.h5")
# [/model]

# [measure]
figures = genkit.evaluate("mine", metrics=["fid"], n=200, verbose=False)
print(figures)
print(genkit.write_report("mine").path)
# [/measure]
