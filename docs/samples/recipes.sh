# [dry]
genkit run --recipe small-vae.toml --dry-run
# [run]
genkit run --recipe small-vae.toml --name small
# [flags]
genkit run --recipe small-vae.toml --steps 10 --set latent_dim=2 --dry-run
# [end]
