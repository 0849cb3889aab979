# [inspect]
genkit table inspect customers.csv --target churned
# [rules]
cat >> table.toml <<'END'

[[rules]]
predicate = "balance <= 0.5 * income"
END
# [train]
genkit run tab-ar --dataset table --data path=customers.csv --data describe=table.toml \
  --name customers --steps 300
# [generate]
genkit generate runs/customers --n 1000 --out rows.parquet
genkit generate runs/customers --n 200 --out some.csv --where churned=true --where "age=18:30" \
  --where city=null
# [given]
genkit generate runs/customers --given seeds.csv --out seeded.csv
# [impute]
genkit impute runs/customers holes.csv --out filled.csv
# [evaluate]
genkit evaluate runs/customers --n 1000
# [baseline]
genkit run tab-cart --dataset table --data path=customers.csv --data describe=table.toml --name trees
# [group]
genkit evaluate runs/trees --n 1000 --data group=plan --metrics usefulness-by-group --verbose
# [help]
genkit augment --model tab-cart --dataset table --data path=customers.csv --data describe=table.toml \
  --per-class 30 --ratios 1 --seeds 3
# [mixture]
genkit run tab-mixture --dataset table --data path=customers.csv --data describe=table.toml \
  --name mixture --steps 200
genkit generate runs/mixture --n 200 --out ranges.csv --where "age=18:30" --where "income=15000:25000" \
  --where "balance=1:"
# [end]
