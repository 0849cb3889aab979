# [folder]
genkit run vae --dataset image-folder --data path=photos --data "transforms=resize=32" \
  --batch-size 8 --steps 10 --name photos
# [npz]
genkit run vae --dataset npz --data path=pictures.npz --data label=kind \
  --data "transforms=resize=32" --batch-size 8 --steps 10 --name pictures
# [end]
