# [run]
genkit run vae --dataset digits --steps 20 --name here --backend torch
# [generate]
genkit generate runs/here --n 16 --format grid --backend jax
# [init]
genkit run vae --dataset digits --steps 20 --name there --backend jax --init runs/here
# [end]
