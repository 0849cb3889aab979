# [train]
genkit run gpt --dataset text --data path=letters.txt --name letters --steps 300
# [prompt]
genkit generate runs/letters --n 1 --prompt "the quick " --length 60
# [choose]
genkit generate runs/letters --n 3 --prompt "a stitch" --temperature 0.7 --top-p 0.95 \
  --stop "." --out texts.txt
# [score]
genkit score runs/letters letter.txt --out letter.html
# [end]
