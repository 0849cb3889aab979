import torch
from sklearn.datasets import load_digits
from torch import nn

images = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32).flatten(1)

# [step]
generator = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh())
discriminator = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
bce = nn.functional.binary_cross_entropy_with_logits


def training_step(real):
    fake = generator(torch.randn(len(real), 32))
    on_real, on_fake = discriminator(real), discriminator(fake.detach())
    d_loss = bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    on_fake = discriminator(fake)
    g_loss = bce(on_fake, torch.ones_like(on_fake))
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    return d_loss.item(), g_loss.item()


# [/step]
for _ in range(100):
    d_loss, g_loss = training_step(images[torch.randint(len(images), (64,))])
print(d_loss, g_loss)
