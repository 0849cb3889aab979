# [train]
genkit run cgan --dataset digits --steps 20 --name byclass
genkit generate runs/byclass --label 7
genkit generate runs/byclass --label 1,3,7 --n 4
# [grid]
genkit generate runs/byclass --label 0:9 --n 10 --format grid
# [npz]
genkit generate runs/byclass --label 0:9 --n 100 --format npz --out more
# [end]
