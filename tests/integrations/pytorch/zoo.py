# ruff: noqa: B007, N806, N812 - the names are those of public code
"""Training loops as people write them. None of them knows that it is watched.

Each returns the modules that it has trained. Data and models are tiny; their use is not.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, random_split


def make_blobs(n=60, d=6, classes=3):
    g = torch.Generator().manual_seed(7)
    y = torch.randint(0, classes, (n,), generator=g)
    X = torch.randn(n, d, generator=g) + y[:, None]
    return X, y


def mlp(d=6, out=3):
    return nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, out))


# 1. In functions, like the tutorial "Learn the basics" of PyTorch.


def train_loop(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        pred = model(X)
        loss = loss_fn(pred, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 100 == 0:
            loss, current = loss.item(), batch * len(X)
            assert current <= size


def test_loop(dataloader, model, loss_fn):
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    return test_loss / len(dataloader), correct / len(dataloader.dataset)


test_loop.__test__ = False


def quickstart():
    X, y = make_blobs()
    training_data, test_data = TensorDataset(X[:40], y[:40]), TensorDataset(X[40:], y[40:])
    train_dataloader = DataLoader(training_data, batch_size=8, shuffle=True)
    test_dataloader = DataLoader(test_data, batch_size=8)
    model = mlp()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)
    epochs = 2
    for t in range(epochs):
        train_loop(train_dataloader, model, loss_fn, optimizer)
        test_loop(test_dataloader, model, loss_fn)
    return [model]


# 2. A trainer class with its own fit.


class Trainer:
    def __init__(self, model, train_loader, val_loader, lr=0.01, epochs=3):
        self.model = model
        self.train_loader = train_loader
        self.val_loader = val_loader
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1)
        self.epochs = epochs
        self.history = []

    def _run_batch(self, source, targets):
        self.optimizer.zero_grad()
        output = self.model(source)
        self.loss = self.criterion(output, targets)
        self.loss.backward()
        self.optimizer.step()
        return self.loss.detach()

    def _run_epoch(self):
        self.model.train()
        return torch.stack([self._run_batch(*batch) for batch in self.train_loader]).mean()

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        return sum(self.criterion(self.model(x), y).item() for x, y in self.val_loader)

    def fit(self):
        for _ in range(self.epochs):
            self.history.append((self._run_epoch().item(), self.evaluate()))


def trainer_class():
    X, y = make_blobs()
    data = TensorDataset(X, y)
    train, val = random_split(data, [40, 20], generator=torch.Generator().manual_seed(1))
    trainer = Trainer(mlp(), DataLoader(train, 10), DataLoader(val, 20))
    trainer.fit()
    return [trainer.model]


# 3. Batches by index, no loader; full batches of numbers.


def index_batches():
    X, y = make_blobs()
    net = mlp()
    opt = optim.Adam(net.parameters(), lr=0.01)
    batch_size = 20
    for epoch in range(4):
        permutation = torch.randperm(X.size(0))
        for i in range(0, X.size(0), batch_size):
            indices = permutation[i : i + batch_size]
            opt.zero_grad()
            train_loss = F.cross_entropy(net(X[indices]), y[indices])
            train_loss.backward()
            opt.step()
    return [net]


def full_batch_regression():
    x = torch.linspace(-1, 1, 30).unsqueeze(1)
    y = x**2 + 0.1
    model = mlp(1, 1)
    criterion = nn.MSELoss()
    optimizer = optim.RMSprop(model.parameters(), lr=0.01)
    for t in range(250):
        y_pred = model(x)
        loss = criterion(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [model]


# 4. Batches from a function, evaluation every few steps: after nanoGPT.


class Bigram(nn.Module):
    def __init__(self, vocab=11, width=8):
        super().__init__()
        self.embedding = nn.Embedding(vocab, width)
        self.head = nn.Linear(width, vocab)

    def forward(self, idx, targets=None):
        logits = self.head(self.embedding(idx))
        if targets is None:
            return logits, None
        B, T, C = logits.shape
        loss = F.cross_entropy(logits.view(B * T, C), targets.view(B * T), ignore_index=-1)
        return logits, loss


def get_batch_language_model():
    text = torch.randint(0, 11, (200,), generator=torch.Generator().manual_seed(3))
    config = {"block_size": 5, "batch_size": 4, "eval_iters": 3, "max_iters": 20}

    def get_batch(split):
        part = text[:150] if split == "train" else text[150:]
        starts = torch.randint(len(part) - 6, (4,))
        x = torch.stack([part[i : i + 5] for i in starts])
        y = torch.stack([part[i + 1 : i + 6] for i in starts])
        return x, y

    @torch.no_grad()
    def estimate_loss():
        model.eval()
        losses = torch.zeros(config["eval_iters"])
        for k in range(config["eval_iters"]):
            _, loss = model(*get_batch("val"))
            losses[k] = loss.item()
        model.train()
        return losses.mean()

    model = Bigram()
    optimizer = optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.95))
    for it in range(config["max_iters"]):
        xb, yb = get_batch("train")
        _, loss = model(xb, yb)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if (it + 1) % 10 == 0:
            estimate_loss()
    return [model]


# 5. Streams.


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        X, y = make_blobs(self.n)
        yield from zip(X, y, strict=True)


def iterable_dataset():
    loader = DataLoader(Stream(20), batch_size=5)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _epoch in range(2):
        for features, labels in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(F.log_softmax(model(features), dim=1), labels)
            loss.backward()
            optimizer.step()
    return [model]


def endless_loader():
    X, y = make_blobs(40)
    loader = DataLoader(TensorDataset(X, y), batch_size=10, shuffle=True)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    data_iter = iter(loader)
    for step in range(10):
        try:
            batch = next(data_iter)
        except StopIteration:
            data_iter = iter(loader)
            batch = next(data_iter)
        loss = F.cross_entropy(model(batch[0]), batch[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [model]


def next_iter_each_step():
    X, y = make_blobs(40)
    loader = DataLoader(TensorDataset(X, y), batch_size=10, shuffle=True)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        xb, yb = next(iter(loader))
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [model]


# 6. Gradients: accumulated, clipped, from several passes, scaled, from a closure.


def gradient_accumulation():
    X, y = make_blobs(48)
    train_loader = DataLoader(TensorDataset(X, y), batch_size=6)
    model = mlp()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    accum_iter = 4
    for _ in range(2):
        for batch_idx, (inputs, labels) in enumerate(train_loader):
            loss = criterion(model(inputs), labels)
            (loss / accum_iter).backward()
            if (batch_idx + 1) % accum_iter == 0 or batch_idx + 1 == len(train_loader):
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
    return [model]


def several_backwards():
    X, y = make_blobs(30)
    loader = DataLoader(TensorDataset(X, y), batch_size=10)
    encoder, head = nn.Linear(6, 4), nn.Linear(4, 3)
    params = list(encoder.parameters()) + list(head.parameters())
    optimizer = optim.SGD(params, lr=0.05)
    for xb, yb in loader:
        optimizer.zero_grad()
        code = encoder(xb)
        class_loss = F.cross_entropy(head(code), yb)
        class_loss.backward(retain_graph=True)
        size_loss = code.pow(2).mean()
        size_loss.backward()
        optimizer.step()
    return [encoder, head]


def amp_with_scaler():
    X, y = make_blobs(40)
    loader = DataLoader(TensorDataset(X, y), batch_size=10)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for epoch in range(2):
        for i, (data, target) in enumerate(loader):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(model(data), target)
            scaler.scale(loss).backward()
            if epoch == 0 and i == 2:
                # As when half precision overflows.
                model[0].weight.grad[0, 0] = float("inf")
            scaler.step(optimizer)
            scaler.update()
    return [model]


def lbfgs_closure():
    x = torch.linspace(-1, 1, 20).unsqueeze(1)
    y = 3 * x - 1
    model = nn.Linear(1, 1)
    optimizer = optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return [model]


# 9. Text, binary labels, reinforcement.


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 4, padding_idx=0)
        self.lstm = nn.LSTM(4, 6, batch_first=True)
        self.out = nn.Linear(6, 5)

    def forward(self, tokens):
        hidden, _ = self.lstm(self.embed(tokens))
        return self.out(hidden).transpose(1, 2)


def rnn_tagger():
    g = torch.Generator().manual_seed(4)
    tokens = torch.randint(1, 9, (20, 7), generator=g)
    tags = torch.randint(1, 5, (20, 7), generator=g)
    tags[:, 5:] = 0
    train_iter = DataLoader(TensorDataset(tokens[:16], tags[:16]), batch_size=8)
    valid_iter = DataLoader(TensorDataset(tokens[16:], tags[16:]), batch_size=4)
    model = Tagger()
    loss_function = nn.CrossEntropyLoss(ignore_index=0)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for epoch in range(2):
        for sentence, gold in train_iter:
            model.zero_grad()
            loss = loss_function(model(sentence), gold)
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for sentence, gold in valid_iter:
                loss_function(model(sentence), gold)
    return [model]


def binary_logits():
    X, y = make_blobs(40, classes=2)
    train_dl = DataLoader(TensorDataset(X[:30], y[:30].float()), batch_size=10)
    val_dl = DataLoader(TensorDataset(X[30:], y[30:].float()), batch_size=10)
    model = mlp(out=1)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for epoch in range(2):
        for xb, yb in train_dl:
            logits = model(xb)
            loss = criterion(logits.squeeze(1), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        # No torch.no_grad() here: many forget it.
        for xb, yb in val_dl:
            val_loss = criterion(model(xb).squeeze(1), yb)
            assert val_loss.item() > 0
        model.train()
    return [model]


def reinforce():
    policy = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=-1))
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    for _episode in range(3):
        log_probs, rewards = [], []
        state = torch.randn(4)
        for _t in range(5):
            m = torch.distributions.Categorical(policy(state))
            action = m.sample()
            log_probs.append(m.log_prob(action))
            rewards.append(float(action))
            state = torch.randn(4)
        policy_loss = [-p * r for p, r in zip(log_probs, rewards, strict=True)]
        optimizer.zero_grad()
        policy_loss = torch.stack(policy_loss).sum()
        policy_loss.backward()
        optimizer.step()
    return [policy]
