# [train]
genkit run vae --dataset digits --set width=8 --steps 20 --name digits
genkit run vae --dataset image-folder --data path=photos --data "transforms=resize=8" \
  --set width=8 --batch-size 8 --steps 10 --init runs/digits --name photos-from-digits
# [end]
