# [train]
genkit run morse-memory --name morse
# [generate]
genkit generate runs/morse --n 9 --loudness 0.8
# [transcribe]
genkit transcribe runs/morse --n 3 --threshold 0.4
# [look]
genkit info morse-memory
genkit info morse
genkit list plugins
# [end]
