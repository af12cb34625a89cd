# ruff: noqa: B007, N806, N812 - the names are those of public code
"""More training loops as people write them; those of the zoo are in `LOOPS` too."""

import copy
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from tests.integrations.pytorch import zoo
from tests.integrations.pytorch.zoo import make_blobs, mlp
from torch import optim
from torch.utils.data import DataLoader, Dataset, TensorDataset

# 7. Several networks, several optimizers.


def dcgan():
    real = torch.randn(24, 4, generator=torch.Generator().manual_seed(5)) + 3
    dataloader = DataLoader(TensorDataset(real), batch_size=8, shuffle=True)
    netG = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4))
    netD = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizerD = optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=1e-4, betas=(0.5, 0.999))
    for epoch in range(2):
        for i, data in enumerate(dataloader, 0):
            netD.zero_grad()
            real_cpu = data[0]
            b_size = real_cpu.size(0)
            label = torch.full((b_size,), 1.0)
            output = netD(real_cpu).view(-1)
            errD_real = criterion(output, label)
            errD_real.backward()
            noise = torch.randn(b_size, 2)
            fake = netG(noise)
            label.fill_(0.0)
            output = netD(fake.detach()).view(-1)
            errD_fake = criterion(output, label)
            errD_fake.backward()
            errD = errD_real + errD_fake
            optimizerD.step()
            netG.zero_grad()
            label.fill_(1.0)
            output = netD(fake).view(-1)
            errG = criterion(output, label)
            errG.backward()
            optimizerG.step()
            assert errD.item() > 0
    return [netG, netD]


def encoder_decoder():
    X, y = make_blobs(30)
    loader = DataLoader(TensorDataset(X, y), batch_size=10)
    encoder, decoder = nn.GRU(1, 5, batch_first=True), nn.Linear(5, 3)
    encoder_optimizer = optim.SGD(encoder.parameters(), lr=0.1)
    decoder_optimizer = optim.SGD(decoder.parameters(), lr=0.2)
    for input_tensor, target in loader:
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        _, hidden = encoder(input_tensor.unsqueeze(-1))
        loss = F.cross_entropy(decoder(hidden[-1]), target)
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
    return [encoder, decoder]


def models_side_by_side():
    X, y = make_blobs(30)
    loader = DataLoader(TensorDataset(X, y), batch_size=10)
    models = [mlp() for _ in range(2)]
    optimizers = [optim.SGD(m.parameters(), lr=0.1) for m in models]
    for _ in range(2):
        for xb, yb in loader:
            for model, optimizer in zip(models, optimizers, strict=True):
                loss = F.cross_entropy(model(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return models


# 8. Losses of one's own.


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(6, 4), nn.Linear(4, 2), nn.Linear(4, 2)
        self.fc3 = nn.Linear(2, 6)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc3(z)), mu, logvar


def vae_loss(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x, reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def vae():
    X = torch.rand(30, 6, generator=torch.Generator().manual_seed(2))
    train_loader = DataLoader(TensorDataset(X[:20]), batch_size=10)
    test_loader = DataLoader(TensorDataset(X[20:]), batch_size=5)
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, 3):
        model.train()
        train_loss = 0
        for (data,) in train_loader:
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = vae_loss(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
        model.eval()
        test_loss = 0
        with torch.no_grad():
            for (data,) in test_loader:
                recon_batch, mu, logvar = model(data)
                test_loss += vae_loss(recon_batch, data, mu, logvar).item()
    return [model]


def dice_loss(pred, target, smooth=1.0):
    intersection = (pred * target).sum()
    return 1 - (2.0 * intersection + smooth) / (pred.sum() + target.sum() + smooth)


def plain_function_loss():
    X, y = make_blobs(24)
    loader = DataLoader(TensorDataset(X, (y > 0).float()), batch_size=8)
    net = mlp(out=1)
    optimizer = optim.Adam(net.parameters())
    for images, masks in loader:
        optimizer.zero_grad()
        probs = torch.sigmoid(net(images)).squeeze(1)
        dice = dice_loss(probs, masks)
        dice.backward()
        optimizer.step()
    return [net]


def triplet_embedding():
    X, _ = make_blobs(30)
    loader = DataLoader(TensorDataset(X[:10], X[10:20], X[20:]), batch_size=5)
    embedder = nn.Linear(6, 3)
    criterion = nn.TripletMarginLoss(margin=1.0)
    optimizer = optim.Adam(embedder.parameters(), lr=0.01)
    for anchor, positive, negative in loader:
        optimizer.zero_grad()
        loss_triplet = criterion(embedder(anchor), embedder(positive), embedder(negative))
        loss_triplet.backward()
        optimizer.step()
    return [embedder]


def siamese_contrastive():
    X, y = make_blobs(32)
    loader = DataLoader(TensorDataset(X[:16], X[16:], (y[:16] == y[16:]).float()), batch_size=8)
    net = nn.Linear(6, 3)
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for x0, x1, label in loader:
        distance = F.pairwise_distance(net(x0), net(x1))
        loss_contrastive = torch.mean(
            label * distance.pow(2) + (1 - label) * torch.clamp(2.0 - distance, min=0.0).pow(2)
        )
        optimizer.zero_grad()
        loss_contrastive.backward()
        optimizer.step()
    return [net]


# 10. Around the loop.


@dataclass
class Config:
    lr: float = 0.1
    batch_size: int = 10
    name: str = "folds"


def k_fold():
    X, y = make_blobs(30)
    cfg = Config()
    trained = []
    for fold in range(3):
        held_out = torch.arange(30) % 3 == fold
        train_loader = DataLoader(TensorDataset(X[~held_out], y[~held_out]), cfg.batch_size)
        val_loader = DataLoader(TensorDataset(X[held_out], y[held_out]), cfg.batch_size)
        model = mlp()
        optimizer = optim.SGD(model.parameters(), lr=cfg.lr)
        for epoch in range(2):
            for xb, yb in train_loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            for xb, yb in val_loader:
                F.cross_entropy(model(xb), yb)
        trained.append(copy.deepcopy(model))
        del model, optimizer
    return trained


def early_stopping(folder=None):
    X, y = make_blobs(40)
    train_loader = DataLoader(TensorDataset(X[:30], y[:30]), batch_size=10)
    val_loader = DataLoader(TensorDataset(X[30:], y[30:]), batch_size=10)
    model = mlp()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=10.0)
    best, bad = float("inf"), 0
    for epoch in range(50):
        for xb, yb in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
        total = 0.0
        with torch.no_grad():
            for xb, yb in val_loader:
                total += F.cross_entropy(model(xb), yb).item()
        scheduler.step(total)
        if total < best - 10.0:
            best, bad = total, 0
            if folder is not None:
                torch.save({"model": model.state_dict(), "epoch": epoch}, folder / "best.pt")
        else:
            bad += 1
        if bad >= 2:
            break
    return [model]


def one_cycle_per_step():
    X, y = make_blobs(40)
    dl = DataLoader(TensorDataset(X, y), batch_size=10)
    model = mlp()
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2].parameters()}]
    optimizer = optim.SGD(groups, lr=0.1)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.1, 0.2], total_steps=8)
    for _ in range(2):
        for xb, yb in dl:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            scheduler.step()
    return [model]


def nested_validation():
    X, y = make_blobs(60)
    train_loader = DataLoader(TensorDataset(X[:40], y[:40]), batch_size=10)
    val_loader = DataLoader(TensorDataset(X[40:], y[40:]), batch_size=10)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def validate():
        model.eval()
        with torch.no_grad():
            losses = [F.cross_entropy(model(xb), yb) for xb, yb in val_loader]
        model.train()
        return torch.stack(losses).mean()

    validate()
    for epoch in range(2):
        for i, (xb, yb) in enumerate(train_loader):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            if i == 1:
                validate()
        validate()
    return [model]


def plain_validation_tensors():
    X, y = make_blobs(60)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    X_train, y_train, X_val, y_val = X[:40], y[:40], X[40:], y[40:]
    for epoch in range(3):
        model.train()
        optimizer.zero_grad()
        loss = criterion(model(X_train), y_train)
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(X_val), y_val)
    return [model, val_loss]


def by_hand():
    w = torch.zeros(3, requires_grad=True)
    x = torch.ones(5, 3)
    for _ in range(4):
        loss = F.mse_loss(x @ w, torch.ones(5))
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return [w]


def inference_only():
    X, y = make_blobs()
    model = mlp().eval()
    with torch.no_grad():
        for xb, yb in DataLoader(TensorDataset(X, y), batch_size=10):
            F.cross_entropy(model(xb), yb)
    return [model]


class Augmented(Dataset):
    """Items are drawn at random, and counted."""

    def __init__(self):
        self.asked = 0

    def __len__(self):
        return 20

    def __getitem__(self, place):
        self.asked += 1
        return torch.randn(6) + random.random(), place % 3


def random_items():
    data = Augmented()
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for xb, yb in DataLoader(data, batch_size=5, shuffle=True):
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert data.asked == 20
    return [model]


LOOPS = (
    zoo.quickstart,
    zoo.trainer_class,
    zoo.index_batches,
    zoo.full_batch_regression,
    zoo.get_batch_language_model,
    zoo.iterable_dataset,
    zoo.endless_loader,
    zoo.next_iter_each_step,
    zoo.gradient_accumulation,
    zoo.several_backwards,
    zoo.amp_with_scaler,
    zoo.lbfgs_closure,
    dcgan,
    encoder_decoder,
    models_side_by_side,
    vae,
    plain_function_loss,
    triplet_embedding,
    siamese_contrastive,
    zoo.rnn_tagger,
    zoo.binary_logits,
    zoo.reinforce,
    k_fold,
    early_stopping,
    one_cycle_per_step,
    nested_validation,
    plain_validation_tensors,
    by_hand,
    inference_only,
    random_items,
)
