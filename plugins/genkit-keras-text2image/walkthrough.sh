# [train]
genkit run dalle --dataset captioned-folder --data path=pictures --name painter
genkit generate runs/painter --prompt "red circle above blue square" --n 16 --format grid
# [clip]
genkit run clip --dataset captioned-folder --data path=pictures --name judge
genkit search runs/judge "red circle" --n 8
# [choose]
genkit generate runs/painter --prompt "red circle" --n 4 --clip runs/judge --candidates 8 \
  --format grid --out chosen
genkit generate runs/painter --prompt "red circle" --n 4 --image half.png --format grid \
  --out completed
# [judge]
genkit judge runs/painter --by runs/judge
genkit judge runs/painter --by runs/judge --split train
# [flow]
genkit run text-flow --dataset captioned-folder --data path=pictures --name flow
genkit generate runs/flow --prompt "red circle" --n 16 --guidance 3 --format grid
# [end]
