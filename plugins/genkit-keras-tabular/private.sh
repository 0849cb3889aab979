# [count]
genkit table count customers.csv --describe known.toml --epsilon 1
# [end]
