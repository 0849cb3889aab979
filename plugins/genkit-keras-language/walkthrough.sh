# [train]
genkit run gpt --dataset text --data path=letters.txt --name letters --steps 300
# [prompt]
genkit generate runs/letters --n 1 --prompt "the quick " --length 60
# [choose]
genkit generate runs/letters --n 3 --prompt "a stitch" --temperature 0.7 --top-p 0.95 \
  --stop "." --out texts.txt
# [prompts]
printf 'the quick\na stitch in\n' > beginnings.txt
genkit generate runs/letters --prompts beginnings.txt --n 2 --length 40 --out beginnings.jsonl
# [score]
genkit score runs/letters letter.txt --out letter.html
# [answers]
genkit run gpt --dataset prompts --data path=sums.csv --data prompt=sum --data answer=is \
  --name sums --steps 300
genkit generate runs/sums --n 1 --prompt "2 and 3" --temperature 0
# [end]
