# [link]
genkit link customers.csv orders.csv --key customer --by day --out shop
# [train]
genkit run tab-ar --dataset table --data path=shop/parents.csv \
  --data describe=shop/parents.toml --name customers --steps 200
genkit run tab-ar --dataset table --data path=shop/children.csv --name orders --steps 200
# [join]
genkit join shop runs/customers runs/orders --n 100 --out made
genkit join shop runs/customers runs/orders --n 20 --where children=4 --out regulars
# [end]
