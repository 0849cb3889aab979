# [train]
genkit run gpt --name plays --steps 500
# [full]
genkit run gpt --init runs/plays --dataset text --data path=letters.txt \
  --data tokenizer_file=runs/plays --set learning_rate=1e-3 --steps 200 --name letters
# [import]
genkit import-weights downloads/small --out models/small
# [beside]
genkit run --recipe models/small/fine-tune.toml --init models/small \
  --data path=letters.txt --data tokenizer_file=models/small \
  --set lora_rank=8 --set learning_rate=1e-3 --steps 200 --name small-letters
# [export]
genkit export-weights runs/small-letters --out letters-for-others
# [end]
