# [train]
genkit run mult-vae --dataset interactions --data path=clicks.csv --data time_column=time \
  --data items_path=films.csv --data title_column=title --data attribute_column=genre \
  --name films --epochs 20 --batch-size 32
# [evaluate]
genkit evaluate runs/films
# [user]
genkit recommend runs/films --user "user 3" -k 5
# [stranger]
genkit recommend runs/films --history "Film 3, The (1953),item 6" -k 5 --json
# [wishes]
genkit recommend runs/films --user "user 3" --where Drama --where not:Old
genkit recommend runs/films --user "user 3" --diversity 0.3 --novelty 0.5
# [all]
genkit recommend runs/films --all --out recommendations.parquet -k 20
# [baseline]
genkit run ease --dataset interactions --data path=clicks.csv --data time_column=time \
  --data items_path=films.csv --data title_column=title --data attribute_column=genre --name ease
genkit compare-recommenders runs/films runs/ease
# [grown]
genkit run mult-vae --dataset interactions --data path=grown.csv --data time_column=time \
  --data items_path=films.csv --data title_column=title --data attribute_column=genre \
  --name films-in-may --init runs/films --epochs 5 --batch-size 32
# [end]
