# [train]
genkit run gpt --name writer --steps 400 --validate-every 200
# [write]
genkit generate runs/writer --n 1 --prompt "ROMEO:" --length 300 --temperature 0.8
# [cold]
genkit generate runs/writer --n 1 --prompt "ROMEO:" --length 120 --temperature 0
genkit generate runs/writer --n 1 --prompt "ROMEO:" --length 120 --temperature 2
# [beginnings]
printf 'JULIET:\nMy lord,\n' > beginnings.txt
genkit generate runs/writer --prompts beginnings.txt --n 2 --length 60 --temperature 0.8
# [beams]
genkit generate runs/writer --n 1 --prompt "My lord," --length 120 --beams 4
# [score]
printf 'To be, or not to be, that is the question.\n' > line.txt
genkit score runs/writer line.txt
# [measure]
genkit evaluate runs/writer --metrics copies,distinct --n 64
# [end]
