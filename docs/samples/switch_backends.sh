# [run]
genkit run vae --dataset digits --steps 20 --name here --backend torch
# [generate]
genkit generate runs/here --n 16 --format npz --out on-torch
genkit generate runs/here --n 16 --format npz --out on-jax --backend jax
# [init]
genkit run vae --dataset digits --steps 20 --name there --backend jax --init runs/here
# [end]
