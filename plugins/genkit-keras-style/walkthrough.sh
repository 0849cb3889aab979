# [train]
genkit run stylegan2 --data path=faces --data transforms=resize=32 --data mode=RGB \
  --name faces
genkit generate runs/faces --n 64 --format grid
# [styles]
genkit generate runs/faces --n 64 --truncation-psi 0.7 --format grid --out plainer
genkit styles runs/faces mixing
genkit styles runs/faces walk --steps 24
genkit styles runs/faces directions
genkit generate runs/faces --n 8 --direction 2 --strength 1.5 --out moved
# [project]
genkit project runs/faces me.png
genkit generate runs/faces --n 1 --out again \
  --latent runs/faces/generated/projected/me.styles
# [little]
genkit run stylegan2 --data path=faces --data transforms=resize=32 --data mode=RGB \
  --name changed --set augment_target=0.6
genkit run stylegan2 --data path=others --data transforms=resize=32 --data mode=RGB \
  --name others --init runs/faces --set frozen=2
# [end]
