genkit list plugins
genkit check genkit-keras-rings/rings
genkit run rings-gan --steps 200 --name rings
genkit generate runs/rings --n 1000 --format npz
