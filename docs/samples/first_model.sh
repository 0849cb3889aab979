# [run]
genkit run vae --dataset digits --steps 1000 --name first
# [runs]
genkit runs
# [generate]
genkit generate runs/first --n 16 --format grid
# [resume]
genkit resume runs/first --steps 500
# [end]
