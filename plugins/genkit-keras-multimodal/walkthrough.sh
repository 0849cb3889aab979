# [train]
genkit run mopoe --data sets="mnist fsdd" --name spoken
genkit generate runs/spoken --n 16
# [translate]
genkit translate runs/spoken --from audio=seven.wav --to image
genkit translate runs/spoken --from image=digit.png --to audio
genkit translate runs/spoken --from image --to audio --items 4
genkit translate runs/spoken --from image=digit.png --until audio=seven.wav --n 10
# [measure]
genkit evaluate runs/spoken --metrics coherence,bounds
# [labels]
genkit run jmvae --data sets="mnist label" --name labelled --set weight="label=10"
genkit translate runs/labelled --from label=7 --to image
# [end]
